/** What a run of tools is asked, and what it gives. */
import type { ChatEvent } from "../ChatEvent.js"
import type * as ChatRequest from "../ChatRequest.js"
import type { ChatResponse, Usage } from "../ChatResponse.js"
import type * as Message from "../Message.js"
import type * as Tool from "../Tool.js"

/**
 * What `runTools` is asked: a prompt, a conversation, or a request without tools of its own.
 *
 * @since 0.1.0
 * @category tools
 */
export type ToolInput =
  | string
  | ReadonlyArray<Message.Message>
  | (Omit<ChatRequest.Options, "tools"> & { readonly tools?: undefined })
  | ChatRequest.ChatRequest

/**
 * How tools are run.
 *
 * @since 0.1.0
 * @category tools
 */
export interface ToolOptions<Handlers extends ReadonlyArray<Tool.Handler<unknown, unknown>>> {
  /** The tools that the model may call, with what they do: made with `Tool.handle`. */
  readonly tools: Handlers
  /** How often the model may be asked. Default 8. One that calls tools in its last turn is a `Tool.TurnLimitReached`. */
  readonly maxTurns?: number | undefined
  /** How many calls of one turn run at the same time. Default: all of them. */
  readonly concurrency?: number | "unbounded" | undefined
  /**
   * A call that cannot be carried out (no such tool, arguments that do not fit) ends the run with `InvalidToolCall`, or is
   * reported to the model as a result with an error, so that it can try again. Default `"fail"`.
   */
  readonly invalidCalls?: "fail" | "report" | undefined
}

/**
 * One answer of the model, and the results of the tools that it called.
 *
 * @since 0.1.0
 * @category tools
 */
export interface ToolTurn {
  readonly response: ChatResponse
  /** In the order of the calls; empty in the last turn. */
  readonly results: ReadonlyArray<Message.ToolResultPart>
}

/**
 * What a run of tools gave.
 *
 * @since 0.1.0
 * @category tools
 */
export interface ToolRun {
  /** The last answer, which calls no tool. */
  readonly response: ChatResponse
  /** The whole conversation, what was asked and the last answer included: ready for the user's next message. */
  readonly messages: ReadonlyArray<Message.Message>
  /** All turns, in order. */
  readonly turns: ReadonlyArray<ToolTurn>
  /** The tokens of all turns, added up. A count that no turn reported is absent. */
  readonly usage: Usage
}

/**
 * The model is asked, for the first time or again.
 *
 * @since 0.1.0
 * @category tools
 */
export interface TurnStart {
  readonly _tag: "TurnStart"
  /** From 1. */
  readonly turn: number
}

/**
 * A tool has given its result. Results come as they are ready.
 *
 * @since 0.1.0
 * @category tools
 */
export interface ToolResult {
  readonly _tag: "ToolResult"
  /** The turn in which the tool was called, from 1. */
  readonly turn: number
  readonly call: Message.ToolCallPart
  readonly result: Message.ToolResultPart
}

/**
 * The last event: the model has answered.
 *
 * @since 0.1.0
 * @category tools
 */
export interface RunFinish {
  readonly _tag: "RunFinish"
  readonly run: ToolRun
}

/**
 * An event of `streamTools`: those of each turn, results between them, and `RunFinish` last.
 *
 * @since 0.1.0
 * @category tools
 */
export type ToolEvent = ChatEvent | TurnStart | ToolResult | RunFinish
