/** The loop that lets a model call tools until it answers. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import { type ChatEvent, makeFolder } from "../ChatEvent.js"
import * as ChatRequest from "../ChatRequest.js"
import type { ChatResponse, Usage } from "../ChatResponse.js"
import type * as Message from "../Message.js"
import { CurrentOptions, type RequestOptions } from "../RequestOptions.js"
import * as Tool from "../Tool.js"
import { withOwnIds } from "./callIds.js"
import { type AiGatewayError, InvalidRequest, InvalidToolCall } from "./errors.js"
import { sum } from "./json.js"
import type { ToolEvent, ToolInput, ToolOptions, ToolRun, ToolTurn } from "./toolRun.js"
import { unchecked } from "./unchecked.js"

type Handler = Tool.Handler<unknown, unknown>

type Failure<Handlers extends ReadonlyArray<Handler>> =
  | AiGatewayError
  | Tool.TurnLimitReached
  | Tool.HandlerError<Handlers>

// --- the loop -----------------------------------------------------------------------------------------------------------

export const run = <Handlers extends ReadonlyArray<Handler>, R>(
  ask: (input: ChatRequest.Input) => Effect.Effect<ChatResponse, AiGatewayError, R>,
  input: ToolInput,
  options: ToolOptions<Handlers>
): Effect.Effect<ToolRun, Failure<Handlers>, R | Tool.HandlerNeeds<Handlers>> =>
  Effect.flatMap(begin(input, options), (loop) => {
    const turn: Effect.Effect<ToolRun, Failure<Handlers>, R | Tool.HandlerNeeds<Handlers>> = Effect.suspend(
      () =>
        Effect.flatMap(loop.asked(ask(loop.request)), (response) => {
          if (response.toolCalls.length === 0) return Effect.succeed(loop.finish(response))
          return Effect.flatMap(loop.prepare(response), (calls) =>
            Effect.flatMap(
              Effect.forEach(calls, ({ run }) => run, { concurrency: loop.concurrency }),
              (results) => {
                loop.proceed(response, results)
                return turn
              }
            )
          )
        })
    )
    return turn
  })

export const stream = <Handlers extends ReadonlyArray<Handler>, R>(
  ask: (input: ChatRequest.Input) => Stream.Stream<ChatEvent, AiGatewayError, R>,
  input: ToolInput,
  options: ToolOptions<Handlers>
): Stream.Stream<ToolEvent, Failure<Handlers>, R | Tool.HandlerNeeds<Handlers>> => {
  type Events = Stream.Stream<ToolEvent, Failure<Handlers>, R | Tool.HandlerNeeds<Handlers>>
  return Stream.unwrap(
    Effect.map(begin(input, options), (loop) => {
      const turn: Events = Stream.suspend(() => {
        const folder = makeFolder()
        const spoken = Stream.mapChunks(loop.askedStream(ask(loop.request)), (events) => {
          for (const event of events) folder.add(event)
          return events
        })
        const start: Events = Stream.make<[ToolEvent]>({ _tag: "TurnStart", turn: loop.turn })
        return Stream.concat(
          start,
          Stream.concat(
            spoken,
            Stream.suspend(() => after(folder.response()))
          )
        )
      })
      const after = (response: ChatResponse): Events => {
        if (response.toolCalls.length === 0) {
          return Stream.make<[ToolEvent]>({ _tag: "RunFinish", run: loop.finish(response) })
        }
        return Stream.unwrap(
          Effect.map(loop.prepare(response), (calls): Events => {
            const results: Array<Message.ToolResultPart> = []
            const told = Stream.mapEffect(
              Stream.fromIterable(calls.entries()),
              ([place, { call, run }]) =>
                Effect.map(run, (result): ToolEvent => {
                  results[place] = result
                  return { _tag: "ToolResult", turn: loop.turn, call, result }
                }),
              { concurrency: loop.concurrency, unordered: true }
            )
            return Stream.concat(
              told,
              Stream.suspend(() => {
                loop.proceed(response, results)
                return turn
              })
            )
          })
        )
      }
      return turn
    })
  )
}

// --- what both have in common -------------------------------------------------------------------------------------------

interface Call<E, R> {
  readonly call: Message.ToolCallPart
  readonly run: Effect.Effect<Message.ToolResultPart, E, R>
}

const begin = <Handlers extends ReadonlyArray<Handler>>(
  input: ToolInput,
  options: ToolOptions<Handlers>
): Effect.Effect<Loop<Handlers>, InvalidRequest> =>
  Effect.suspend(() => {
    const { maxTurns = 8, concurrency = "unbounded", tools } = options
    if (!isCount(maxTurns)) return wrong("maxTurns", "it must be a whole number from 1")
    if (concurrency !== "unbounded" && !isCount(concurrency)) {
      return wrong("concurrency", 'it must be a whole number from 1, or "unbounded"')
    }
    return Effect.flatMap(ChatRequest.fromInput(input), (request) => {
      if (request.tools !== undefined) {
        return wrong("tools", "runTools takes the tools with what they do, in its options")
      }
      const asked: ChatRequest.ChatRequest =
        tools.length === 0 ? request : { ...request, tools: tools.map(({ tool }) => tool) }
      const invalid = ChatRequest.wrongToolUse(asked)
      return invalid === undefined
        ? Effect.succeed(new Loop(asked, tools, maxTurns, concurrency, options.invalidCalls === "report"))
        : Effect.fail(invalid)
    })
  })

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) > 0

const wrong = (field: string, problem: string): Effect.Effect<never, InvalidRequest> =>
  Effect.fail(new InvalidRequest({ field, message: `The run is invalid at ${field}: ${problem}.` }))

class Loop<Handlers extends ReadonlyArray<Handler>> {
  /** The turn that is under way, from 1. */
  turn = 1
  private readonly turns: Array<ToolTurn> = []
  private readonly handlers: ReadonlyMap<string, Handlers[number]>

  constructor(
    /** What is asked in this turn. */
    public request: ChatRequest.ChatRequest,
    private readonly tools: Handlers,
    private readonly maxTurns: number,
    readonly concurrency: number | "unbounded",
    private readonly reports: boolean
  ) {
    this.handlers = new Map(tools.map((handler) => [handler.tool.name, handler]))
  }

  /** The calls of an answer, each with what carries it out; none runs before all of them can. */
  prepare(
    response: ChatResponse
  ): Effect.Effect<
    ReadonlyArray<Call<Tool.HandlerError<Handlers>, Tool.HandlerNeeds<Handlers>>>,
    InvalidToolCall | Tool.TurnLimitReached
  > {
    if (this.turn >= this.maxTurns) return Effect.fail(this.limitReached(response))
    const calls: Array<Call<Tool.HandlerError<Handlers>, Tool.HandlerNeeds<Handlers>>> = []
    for (const call of response.toolCalls) {
      const run = this.carryOut(call)
      if (Either.isRight(run)) calls.push({ call, run: traced(call, run.right) })
      else if (!this.reports) return Effect.fail(located(run.left, response))
      else calls.push({ call, run: Effect.succeed(reported(call, run.left)) })
    }
    return Effect.succeed(calls)
  }

  private carryOut(call: Message.ToolCallPart) {
    const handler = this.handlers.get(call.name)
    if (handler === undefined) {
      return Either.left(
        Tool.unknownTool(
          call,
          this.tools.map(({ tool }) => tool)
        )
      )
    }
    // What a handler of the list can fail with and needs is what its type says.
    return handler.run(call) as ReturnType<
      Tool.Handler<Tool.HandlerError<Handlers>, Tool.HandlerNeeds<Handlers>>["run"]
    >
  }

  proceed(response: ChatResponse, results: ReadonlyArray<Message.ToolResultPart>): void {
    this.turns.push({ response, results })
    this.turn++
    const { toolChoice, options, messages } = this.request
    this.request = {
      ...this.request,
      messages: [...messages, ...withOwnIds(messages, response.message, results)],
      // A model that must call a tool would never answer.
      toolChoice: toolChoice === undefined || toolChoice === "none" ? toolChoice : "auto",
      options: uncached(options)
    }
  }

  finish(response: ChatResponse): ToolRun {
    const turns = [...this.turns, { response, results: [] }]
    return {
      response,
      messages: [...this.request.messages, response.message],
      turns,
      usage: added(turns.map((turn) => turn.response.usage))
    }
  }

  private limitReached(response: ChatResponse): Tool.TurnLimitReached {
    const turns = this.turn
    const wanted = response.toolCalls.map(({ name }) => name).join(", ")
    return new Tool.TurnLimitReached({
      turns,
      response,
      messages: [...this.request.messages, response.message],
      message: `The model has had ${turns === 1 ? "its only turn" : `all its ${turns} turns`} (maxTurns) and still calls tools: ${wanted}.`
    })
  }

  /** A cache key names one answer. In later turns it would give the answer of the first one again. */
  asked<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return this.turn === 1
      ? effect
      : Effect.flatMap(CurrentOptions, (scope) =>
          scope.cacheKey === undefined
            ? effect
            : Effect.provideService(effect, CurrentOptions, { ...scope, cacheKey: undefined })
        )
  }

  askedStream<A, E, R>(stream: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> {
    return this.turn === 1
      ? stream
      : Stream.unwrap(
          Effect.map(CurrentOptions, (scope) =>
            scope.cacheKey === undefined
              ? stream
              : Stream.provideService(stream, CurrentOptions, { ...scope, cacheKey: undefined })
          )
        )
  }
}

const uncached = (options: RequestOptions | undefined): RequestOptions | undefined =>
  options?.cacheKey === undefined ? options : { ...options, cacheKey: undefined }

/** A span for each call, named as OpenTelemetry names it. */
const traced = <A, E, R>(
  { id, name }: Message.ToolCallPart,
  run: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.withSpan(run, `execute_tool ${name}`, {
    kind: "internal",
    captureStackTrace: false,
    attributes: {
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": name,
      "gen_ai.tool.call.id": id
    }
  })

/** With what is known of the answer that the call is in. */
const located = (
  { tool, id, arguments: args, path, message: problem }: InvalidToolCall,
  { provider, model, gateway, finishReason }: ChatResponse
): InvalidToolCall => {
  const message =
    finishReason === "length" ? `${problem} (the answer was cut off at the limit of tokens)` : problem
  return new InvalidToolCall(
    { tool, id, arguments: args, path, message, provider, model, gateway, logId: gateway.logId },
    unchecked
  )
}

const reported = (
  { id, name }: Message.ToolCallPart,
  { message }: InvalidToolCall
): Message.ToolResultPart => ({ type: "tool-result", id, name, result: message, isError: true })

const added = (usages: ReadonlyArray<Usage>): Usage => {
  const total: { -readonly [Count in keyof Usage]: Usage[Count] } = {}
  for (const usage of usages) {
    for (const count of counts) {
      const value = sum(total[count], usage[count])
      if (value !== undefined) total[count] = value
    }
  }
  return total
}

const counts = ["input", "output", "cacheRead", "cacheWrite", "reasoning", "total"] as const
