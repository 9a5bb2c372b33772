/**
 * What the vendors changed in OpenAI's `chat/completions`. Source: `protocol/wire-formats.md` §2.1, §4 and §12.2; what
 * is not there is taken to be as OpenAI has it.
 */
import type { Citation } from "../../ChatResponse.js"
import type { AssistantMessage, AssistantPart, Message } from "../../Message.js"
import { arrayAt, isRecord, type JsonRecord, recordAt, textAt } from "../json.js"
import type { Dialect } from "./openAiChat.js"
import type { EncodeInput } from "./wire.js"

// --- Azure OpenAI -----------------------------------------------------------------------------------------------------

/** Azure names the model in the path, as a deployment, unless its `openai/v1` surface is asked. */
export const azureOpenAi = (resource: string, apiVersion: string | undefined): Dialect => {
  const rest: Pick<Dialect, "maxTokens" | "askForUsage" | "refuses"> = {
    maxTokens: "max_completion_tokens",
    askForUsage: true,
    refuses: () => []
  }
  const host = segment(resource)
  return apiVersion === undefined
    ? { ...rest, endpoint: `${host}/openai/v1/chat/completions` }
    : {
        ...rest,
        endpoint: (deployment) =>
          `${host}/${segment(deployment)}/chat/completions?api-version=${segment(apiVersion)}`,
        modelInPath: true
      }
}

/** A lone surrogate, which no URL can hold, must not throw here. */
const segment = (text: string): string => encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\ufffd"))

// --- DeepSeek ---------------------------------------------------------------------------------------------------------

/**
 * A model that thinks wants its reasoning back while it calls tools. Older ones want none from before the last message
 * of the user; V4 wants the field on every turn, if only empty.
 */
const replayReasoning = (message: AssistantMessage, latest: boolean, input: EncodeInput): JsonRecord => {
  const always = input.model.includes("deepseek-v4")
  if (!always && !latest) return {}
  const reasoning = reasoningOf(message, input.provider)
  return always || reasoning !== "" ? { reasoning_content: reasoning } : {}
}

/** What another provider signed is for that provider only. */
const reasoningOf = ({ content }: AssistantMessage, provider: string): string => {
  let reasoning = ""
  if (typeof content === "string") return reasoning
  for (const part of content) {
    if (part.type !== "reasoning") continue
    if (part.opaque === undefined || part.opaque.provider === provider) reasoning += part.text
  }
  return reasoning
}

export const deepSeek: Dialect = {
  endpoint: "chat/completions",
  maxTokens: "max_tokens",
  // It comes unasked, on the chunk that finishes.
  askForUsage: false,
  refuses: () => ["seed"],
  replay: replayReasoning
}

// --- xAI --------------------------------------------------------------------------------------------------------------

export const grok: Dialect = {
  endpoint: "v1/chat/completions",
  maxTokens: "max_completion_tokens",
  askForUsage: true,
  refuses: () => [],
  reasoningBesideOutput: true,
  citationsOf: (json) => citationsAt(json)
}

// --- Groq -------------------------------------------------------------------------------------------------------------

export const groq: Dialect = {
  endpoint: "chat/completions",
  maxTokens: "max_completion_tokens",
  askForUsage: true,
  refuses: () => [],
  usageOf: (json) => recordAt(json, "x_groq")?.usage,
  failed: (json) => {
    const error = recordAt(json, "x_groq")?.error
    return error !== undefined && error !== null
  }
}

// --- Mistral ----------------------------------------------------------------------------------------------------------

const mistralId = /^[a-zA-Z0-9]{9}$/

/** Ids must be nine letters or digits: those of another vendor's calls are changed, alike in the calls and results. */
const withMistralIds = (messages: ReadonlyArray<Message>): ReadonlyArray<Message> => {
  const taken = new Set(messages.flatMap(idsOf))
  const given = new Map<string, string>()
  const idFor = (id: string): string => {
    if (mistralId.test(id)) return id
    const known = given.get(id)
    if (known !== undefined) return known
    let number = given.size
    let made: string
    do made = `call${String(number++).padStart(5, "0")}`
    while (taken.has(made))
    taken.add(made)
    given.set(id, made)
    return made
  }
  return messages.map((message) => withIds(message, idFor))
}

const idsOf = (message: Message): ReadonlyArray<string> => {
  switch (message.role) {
    case "tool":
      return message.content.map(({ id }) => id)
    case "assistant":
      return typeof message.content === "string"
        ? []
        : message.content.flatMap((part) => (part.type === "tool-call" ? [part.id] : []))
    default:
      return []
  }
}

const withIds = (message: Message, idFor: (id: string) => string): Message => {
  switch (message.role) {
    case "tool":
      return { ...message, content: message.content.map((part) => ({ ...part, id: idFor(part.id) })) }
    case "assistant": {
      if (typeof message.content === "string") return message
      const content = message.content.map(
        (part): AssistantPart => (part.type === "tool-call" ? { ...part, id: idFor(part.id) } : part)
      )
      return { ...message, content }
    }
    default:
      return message
  }
}

export const mistral: Dialect = {
  endpoint: "v1/chat/completions",
  maxTokens: "max_tokens",
  // It comes unasked, on the chunk that finishes.
  askForUsage: false,
  refuses: () => [],
  seed: "random_seed",
  conversation: withMistralIds
}

// --- Perplexity -------------------------------------------------------------------------------------------------------

export const perplexity: Dialect = {
  // There is no `v1` in it.
  endpoint: "chat/completions",
  maxTokens: "max_tokens",
  // It comes unasked, on every chunk.
  askForUsage: false,
  refuses: () => ["seed", "stop"],
  withoutTools: true,
  thinkTags: true,
  citationsOf: (json) => citationsAt(json),
  last: (json) => json.object === "chat.completion.done"
}

/**
 * Addresses in `citations`, which the text counts from 1, and what `search_results` knows of each. A result without an
 * address among them is no citation: nothing in the text can name it.
 */
const citationsAt = (json: JsonRecord): ReadonlyArray<Citation> => {
  const results = arrayAt(json, "search_results").filter(isRecord)
  const addresses = arrayAt(json, "citations")
  if (addresses.length === 0) return results.map((result) => citationOf(textAt(result, "url"), result))
  return addresses.flatMap((url) =>
    typeof url === "string" && url !== ""
      ? [
          citationOf(
            url,
            results.find((result) => result.url === url)
          )
        ]
      : []
  )
}

const citationOf = (url: string | undefined, result: JsonRecord | undefined): Citation => ({
  url,
  title: result === undefined ? undefined : textAt(result, "title"),
  raw: result ?? url
})
