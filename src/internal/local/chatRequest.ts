/** A request of OpenAI's `chat/completions`, and of those who copied it: read, or refused. */
import { conversationOf } from "./chatMessages.js"
import { type ChatRules, rulesOf } from "./chatRules.js"
import { answerSchemaOf, toolUseOf } from "./chatTools.js"
import { asObject, isObject, type JsonObject } from "./json.js"
import type { UpstreamRequest } from "./records.js"
import { type Ask, invalid, type Problem, plainAsk } from "./wire.js"

/** Whether OpenAI calls this a reasoning model, which takes `max_completion_tokens` only. */
export const isReasoningModel = (model: string): boolean => /^(gpt-5|o\d)/.test(model) && !/chat/.test(model)

const efforts = ["none", "minimal", "low", "medium", "high", "xhigh"]

const unknownField = (body: JsonObject, rules: ChatRules): Problem | undefined => {
  const name = Object.keys(body).find((name) => rules.fields?.has(name) === false)
  return name === undefined ? undefined : invalid(`Unknown parameter: '${name}'.`, name, "unknown_parameter")
}

const outside = (body: JsonObject, name: string, low: number, high: number): Problem | undefined => {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== "number")
    return invalid(
      `Invalid type for '${name}': expected a number, but got a ${typeof value} instead.`,
      name,
      "invalid_type"
    )
  if (value < low)
    return invalid(
      `Invalid '${name}': ${typeof value === "number" ? "decimal" : "integer"} below minimum value. Expected a value >= ${low}, but got ${value} instead.`,
      name,
      "decimal_below_min_value"
    )
  return value > high
    ? invalid(
        `Invalid '${name}': decimal above maximum value. Expected a value <= ${high}, but got ${value} instead.`,
        name,
        "decimal_above_max_value"
      )
    : undefined
}

/** OpenAI's own models: what a reasoning model refuses, and what the others do. */
const badForModel = (body: JsonObject, model: string): Problem | undefined => {
  const unsupported = (name: string, instead = "") =>
    invalid(
      `Unsupported parameter: '${name}' is not supported with this model.${instead}`,
      name,
      "unsupported_parameter"
    )
  if (!isReasoningModel(model))
    return body.reasoning_effort !== undefined && /^gpt-[34]/.test(model)
      ? unsupported("reasoning_effort")
      : undefined
  if (body.max_tokens !== undefined) return unsupported("max_tokens", " Use 'max_completion_tokens' instead.")
  // GPT-5.1 and later take them when they do not reason.
  if (/^gpt-5\.\d/.test(model)) return undefined
  for (const name of ["temperature", "top_p"])
    if (body[name] !== undefined && body[name] !== 1)
      return invalid(
        `Unsupported value: '${name}' does not support ${String(body[name])} with this model. Only the default (1) value is supported.`,
        name,
        "unsupported_value"
      )
  for (const name of ["presence_penalty", "frequency_penalty", "logprobs", "stop"])
    if (body[name] !== undefined && body[name] !== 0 && body[name] !== false) return unsupported(name)
  return undefined
}

const isOpenAi = (dialect: string) => dialect === "openai" || dialect === "azure-openai"

/** The model of a request: in its body, or Azure's deployment in the path. */
const modelOf = ({ body, endpoint }: UpstreamRequest, dialect: string): unknown =>
  dialect === "azure-openai" && !/^[^/]+\/openai\//.test(endpoint)
    ? endpoint.split("/")[1]
    : asObject(body).model

/** Whether it is asked to think where the vendor shows thoughts. */
const thinks = (body: JsonObject, model: string, dialect: string): boolean => {
  switch (dialect) {
    case "perplexity-ai":
      return model.includes("reasoning")
    case "deepseek":
      return asObject(body.thinking).type === "enabled"
    case "openrouter":
      return isObject(body.reasoning) && body.reasoning.exclude !== true && body.reasoning.effort !== "none"
    default:
      return (
        body.prompt_mode === "reasoning" ||
        (body.reasoning_effort !== undefined &&
          body.reasoning_effort !== "none" &&
          body.reasoning_format !== "hidden")
      )
  }
}

const badStream = (body: JsonObject): Problem | undefined => {
  if (body.stream !== undefined && body.stream !== null && typeof body.stream !== "boolean")
    return invalid(
      "Invalid type for 'stream': expected a boolean, but got a string instead.",
      "stream",
      "invalid_type"
    )
  return isObject(body.stream_options) && body.stream !== true
    ? invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
    : undefined
}

export const parseChat = (request: UpstreamRequest, dialect: string): Ask | Problem => {
  const { body } = request
  if (!isObject(body)) return invalid("We could not parse the JSON body of your request.")
  const rules = rulesOf(dialect)
  const model = modelOf(request, dialect)
  if (typeof model !== "string" || model === "") return invalid("you must provide a model parameter", "model")
  const { messages } = body
  if (!Array.isArray(messages))
    return invalid("Missing required parameter: 'messages'.", "messages", "missing_required_parameter")
  if (messages.length === 0)
    return invalid(
      "Invalid 'messages': empty array. Expected an array with minimum length 1.",
      "messages",
      "empty_array"
    )
  const problem =
    unknownField(body, rules) ??
    badStream(body) ??
    outside(body, "temperature", 0, 2) ??
    outside(body, "top_p", 0, 1) ??
    outside(body, "max_tokens", 1, Number.POSITIVE_INFINITY) ??
    outside(body, "max_completion_tokens", 1, Number.POSITIVE_INFINITY) ??
    (isOpenAi(dialect) &&
    body.reasoning_effort !== undefined &&
    !efforts.includes(String(body.reasoning_effort))
      ? invalid(
          `Invalid value: '${String(body.reasoning_effort)}'. Supported values are: ${efforts.map((word) => `'${word}'`).join(", ")}.`,
          "reasoning_effort",
          "invalid_value"
        )
      : undefined) ??
    (isOpenAi(dialect) ? badForModel(body, model) : undefined)
  if (problem !== undefined) return problem
  const conversation = conversationOf(messages, model, rules)
  if ("kind" in conversation) return conversation
  const use = toolUseOf(body, rules)
  if ("kind" in use) return use
  const answer = answerSchemaOf(body, rules, conversation)
  if ("kind" in answer) return answer
  const { saysJson: _, schema: __, ...said } = conversation
  return {
    ...plainAsk,
    ...said,
    ...use,
    model,
    stream: body.stream === true,
    includeUsage: asObject(body.stream_options).include_usage === true,
    answerSchema: answer.schema,
    thinks: thinks(body, model, dialect)
  }
}
