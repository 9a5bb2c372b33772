/** What vendors change in OpenAI's `chat/completions`. What is optional is as OpenAI has it if absent. */
import type { ChatRequest, ReasoningEffort } from "../../ChatRequest.js"
import type { Citation } from "../../ChatResponse.js"
import type { AssistantMessage, Message } from "../../Message.js"
import type { JsonRecord } from "../json.js"
import type { EncodeInput } from "./wire.js"

/** What a vendor changed, in requests and in answers. */
export interface Dialect extends Reading {
  /** The path behind the slug; may have a query. */
  readonly endpoint: string | ((model: string) => string)
  /** Does the path name the model, so that the body need not? */
  readonly modelInPath?: boolean
  /** The name of the output limit. */
  readonly maxTokens?: "max_completion_tokens" | "max_tokens"
  /** Ask for usage in a stream? Some vendors send it unasked and refuse the question. */
  readonly askForUsage?: boolean
  /** Fields of `ChatRequest` that this model of this vendor refuses. */
  readonly refuses?: (model: string) => ReadonlyArray<keyof ChatRequest>
  /** The name of `seed`. */
  readonly seed?: "random_seed"
  /** The name of `topK`, which OpenAI does not have. */
  readonly topK?: "top_k"
  /** How an effort is written: the fields of the body, or `undefined` for a model that has none to choose. */
  readonly reasoning?: (effort: ReasoningEffort, model: string) => JsonRecord | undefined
  /** Has the vendor no tools? Then calls and results in a conversation are `Unsupported`, and left out. */
  readonly withoutTools?: boolean
  /** Does the vendor know `strict` in a tool? Absent: it is not sent, because some refuse words that they do not know. */
  readonly strictTools?: boolean
  /** The word for "at least one tool". */
  readonly requiredTool?: "any"
  /**
   * How an answer in a form is asked for: with a JSON Schema that has no name (`value`: as text-generation-inference has
   * it), or only as JSON, so that the model must be told the schema in words.
   */
  readonly output?: "unnamed" | "value" | "json_object"
  /** Is this model known to take neither images nor files? */
  readonly textOnly?: (model: string) => boolean
  /** How files are written, and whether they may be at a URL. Absent: the vendor takes none. */
  readonly files?: "data" | "data or URL" | "document_url"
  /** Changes a conversation into one that the vendor takes. */
  readonly conversation?: (messages: ReadonlyArray<Message>) => ReadonlyArray<Message>
  /** What an assistant's message has beside its text and calls. `latest`: no message of the user comes after it. */
  readonly replay?: (message: AssistantMessage, latest: boolean, input: EncodeInput) => JsonRecord
}

/** What a vendor changed in its answers. */
export interface Reading {
  /** Where usage is, beside OpenAI's place. */
  readonly usageOf?: (json: JsonRecord) => unknown
  /** Does `completion_tokens` leave the tokens of reasoning out? */
  readonly reasoningBesideOutput?: boolean
  /** The sources that stand beside the choices, in the order by which the text counts them. */
  readonly citationsOf?: (json: JsonRecord) => ReadonlyArray<Citation>
  /** Is this an error in a form that only this vendor has? */
  readonly failed?: (json: JsonRecord) => boolean
  /** Is this the last chunk, where no `[DONE]` follows? */
  readonly last?: (json: JsonRecord) => boolean
  /** Does an answer begin with its reasoning in `<think>` tags? */
  readonly thinkTags?: boolean
  /** The slug of a vendor that gives reasoning a second time, as records that must go back to it unchanged. */
  readonly reasoningDetails?: string
}
