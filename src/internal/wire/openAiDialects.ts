/**
 * The OpenAI-shaped vendors, one row each: whose key travels how, and what the vendor changed in `chat/completions`. What
 * a row does not say is as OpenAI has it.
 *
 * Source: `protocol/gateway.md` §6 for paths and keys; `protocol/wire-formats.md` §2.1, §4 and §12 for the rest. Neither
 * has the steps of reasoning effort, `strict` in tools, Parallel's limits and Hugging Face's chat path: those are from the
 * vendors' own typings and documentation, as their rows say.
 */
import type { ReasoningEffort } from "../../ChatRequest.js"
import type { AssistantMessage } from "../../Message.js"
import { type JsonRecord, recordAt } from "../json.js"
import * as OpenAiModels from "../openAiModels.js"
import * as Providers from "../providerTable.js"
import { alternating } from "./alternating.js"
import { withOwnIds } from "./openAiCallIds.js"
import type { Dialect } from "./openAiDialect.js"
import * as ReasoningDetails from "./openAiReasoningDetails.js"
import { sourcesAt } from "./openAiSources.js"
import { pathSegment } from "./pathSegment.js"
import { nearest } from "./reasoningEffort.js"
import type { EncodeInput } from "./wire.js"

/** A vendor. A new one needs a row here and a module like `Cerebras.ts`. */
export interface Row extends Dialect {
  readonly provider: Providers.ProviderRow
}

// --- OpenAI -----------------------------------------------------------------------------------------------------------

export const openAi: Row = {
  provider: Providers.openAi,
  endpoint: "chat/completions",
  refuses: (model) =>
    OpenAiModels.reasons(model) ? ["temperature", "topP", "frequencyPenalty", "presencePenalty", "stop"] : [],
  reasoning: (effort, model) =>
    OpenAiModels.reasons(model)
      ? { reasoning_effort: nearest(effort, OpenAiModels.stepsOf(model)) }
      : undefined,
  strictTools: true,
  textOnly: OpenAiModels.textOnly,
  files: "data"
}

// --- Azure OpenAI -----------------------------------------------------------------------------------------------------

/**
 * Azure names the model in the path, as a deployment, unless its `openai/v1` surface is asked. The name of a deployment
 * does not tell what it holds: efforts and images are sent as they are.
 */
export const azureOpenAi = (resource: string, apiVersion: string | undefined): Dialect => {
  const rest: Pick<Dialect, "strictTools" | "files"> = { strictTools: true, files: "data" }
  const host = pathSegment(resource)
  return apiVersion === undefined
    ? { ...rest, endpoint: `${host}/openai/v1/chat/completions` }
    : {
        ...rest,
        endpoint: (deployment) =>
          `${host}/${pathSegment(deployment)}/chat/completions?api-version=${pathSegment(apiVersion)}`,
        modelInPath: true
      }
}

// --- Baseten ----------------------------------------------------------------------------------------------------------

/** Only the path is confirmed; `max_tokens` is the name in Baseten's own documentation. */
export const baseten: Row = {
  provider: Providers.row("baseten"),
  endpoint: "v1/chat/completions",
  maxTokens: "max_tokens"
}

// --- Cerebras ---------------------------------------------------------------------------------------------------------

/** The steps and `strict` are those of its SDK's typings. Its streams end without `[DONE]`. */
export const cerebras: Row = {
  provider: Providers.row("cerebras"),
  endpoint: "chat/completions",
  reasoning: (effort) => ({ reasoning_effort: nearest(effort, ["none", "low", "medium", "high"]) }),
  strictTools: true
}

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

/** Its documentation has the steps `low`, `high` and `max`, and counts `medium` to `high`. */
const thinking = (effort: ReasoningEffort): JsonRecord => {
  switch (effort) {
    case "none":
      return { thinking: { type: "disabled" } }
    case "minimal":
    case "low":
      return { thinking: { type: "enabled" }, reasoning_effort: "low" }
    case "medium":
    case "high":
      return { thinking: { type: "enabled" }, reasoning_effort: "high" }
    case "xhigh":
      return { thinking: { type: "enabled" }, reasoning_effort: "max" }
  }
}

export const deepSeek: Row = {
  provider: Providers.deepSeek,
  endpoint: "chat/completions",
  maxTokens: "max_tokens",
  // It comes unasked, on the chunk that finishes.
  askForUsage: false,
  refuses: () => ["seed"],
  reasoning: thinking,
  // Of its own two names; no source says it of others.
  textOnly: (model) => /^deepseek-(chat|reasoner)$/.test(model),
  output: "json_object",
  replay: replayReasoning
}

// --- Fireworks --------------------------------------------------------------------------------------------------------

/** The protocol's sources have no recording of its streams, and not the steps, which are from its documentation. */
export const fireworks: Row = {
  provider: Providers.row("fireworks"),
  endpoint: "chat/completions",
  maxTokens: "max_tokens",
  // It comes unasked, on the last chunk.
  askForUsage: false,
  reasoning: (effort) => ({ reasoning_effort: nearest(effort, ["none", "low", "medium", "high"]) })
}

// --- xAI --------------------------------------------------------------------------------------------------------------

/** The steps and `strict` are those of Vercel's client; not every model takes each step. */
export const grok: Row = {
  provider: Providers.grok,
  endpoint: "v1/chat/completions",
  reasoning: (effort) => ({ reasoning_effort: nearest(effort, ["none", "low", "medium", "high", "xhigh"]) }),
  strictTools: true,
  reasoningBesideOutput: true,
  citationsOf: sourcesAt
}

// --- Groq -------------------------------------------------------------------------------------------------------------

/** Qwen 3 can only be switched off; which steps others have is from the typings of Groq's SDK. */
const groqEffort = (effort: ReasoningEffort, model: string): string => {
  if (/gpt-oss/.test(model)) return nearest(effort, ["low", "medium", "high"])
  if (/qwen3(?!\.)/.test(model)) return effort === "none" ? "none" : "default"
  return nearest(effort, ["none", "low", "medium", "high"])
}

export const groq: Row = {
  provider: Providers.groq,
  endpoint: "chat/completions",
  reasoning: (effort, model) => ({ reasoning_effort: groqEffort(effort, model) }),
  strictTools: true,
  usageOf: (json) => recordAt(json, "x_groq")?.usage,
  failed: (json) => {
    const error = recordAt(json, "x_groq")?.error
    return error !== undefined && error !== null
  }
}

// --- Hugging Face -----------------------------------------------------------------------------------------------------

/**
 * The gateway's documentation has `{org}/{model}` of the old inference host, for text generation. OpenAI's format is one
 * step below each model there: ellmer and `huggingface_hub` call it so, and the latter writes a schema so.
 */
export const huggingFace: Row = {
  provider: Providers.row("huggingface"),
  endpoint: (model) => `${model.split("/").map(pathSegment).join("/")}/v1/chat/completions`,
  maxTokens: "max_tokens",
  output: "value"
}

// --- Mistral ----------------------------------------------------------------------------------------------------------

/** `strict` and `document_name` are those of its SDK's typings. */
export const mistral: Row = {
  provider: Providers.mistral,
  endpoint: "v1/chat/completions",
  maxTokens: "max_tokens",
  // It comes unasked, on the chunk that finishes.
  askForUsage: false,
  seed: "random_seed",
  strictTools: true,
  requiredTool: "any",
  files: "document_url",
  conversation: withOwnIds
}

// --- OpenRouter -------------------------------------------------------------------------------------------------------

/** `top_k`, `strict` and URLs of files are those of its SDK's typings. */
export const openRouter: Row = {
  provider: Providers.row("openrouter"),
  endpoint: "v1/chat/completions",
  // It comes unasked, on the last chunk.
  askForUsage: false,
  topK: "top_k",
  reasoning: (effort) => ({ reasoning: { effort } }),
  strictTools: true,
  files: "data or URL",
  reasoningDetails: "openrouter",
  replay: (message, _latest, { provider }) => ReasoningDetails.replay(message, provider)
}

// --- Parallel ---------------------------------------------------------------------------------------------------------

/** Its documentation (`chat-api/sdk-compatibility`) lists these fields, tools and images as accepted and ignored. */
export const parallel: Row = {
  provider: Providers.row("parallel", "x-api-key", ""),
  endpoint: "v1beta/chat/completions",
  refuses: () => [
    "temperature",
    "topP",
    "maxTokens",
    "stop",
    "seed",
    "frequencyPenalty",
    "presencePenalty",
    "reasoningEffort"
  ],
  withoutTools: true,
  textOnly: () => true
}

// --- Perplexity -------------------------------------------------------------------------------------------------------

export const perplexity: Row = {
  provider: Providers.perplexity,
  // There is no `v1` in it.
  endpoint: "chat/completions",
  maxTokens: "max_tokens",
  // It comes unasked, on every chunk.
  askForUsage: false,
  // How much it thinks is a matter of the model that one asks.
  refuses: () => ["seed", "stop", "reasoningEffort"],
  withoutTools: true,
  // Roles must alternate: §4.4, where it is general knowledge.
  conversation: alternating,
  output: "unnamed",
  thinkTags: true,
  citationsOf: sourcesAt,
  last: (json) => json.object === "chat.completion.done"
}
