/**
 * What an answer of OpenAI's Responses repeats of its request, and says where the request said nothing. The fields are
 * those of OpenAI's own description of the API, and required there; that Azure, xAI and OpenRouter send them all is not
 * confirmed.
 */
import { asArray, asObject, isObject, type JsonObject } from "./json.js"

/** Tools are strict unless the request says otherwise. */
const toolOf = (tool: unknown): unknown => {
  if (!isObject(tool) || tool.type !== "function") return tool
  return {
    ...tool,
    description: tool.description ?? null,
    parameters: tool.parameters ?? null,
    strict: tool.strict ?? true
  }
}

const formatOf = (format: unknown): unknown => {
  if (!isObject(format)) return { type: "text" }
  return format.type === "json_schema"
    ? { ...format, description: format.description ?? null, strict: format.strict ?? false }
    : format
}

/** `request` is its body, or as much of it as is known. */
export const settingsOf = (request: JsonObject): JsonObject => {
  const { effort = null, summary = null } = asObject(request.reasoning)
  const { format, verbosity = "medium" } = asObject(request.text)
  return {
    background: request.background ?? false,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: request.max_tool_calls ?? null,
    metadata: request.metadata ?? {},
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: request.previous_response_id ?? null,
    prompt_cache_key: request.prompt_cache_key ?? null,
    prompt_cache_retention: request.prompt_cache_retention ?? null,
    reasoning: { effort, summary },
    safety_identifier: request.safety_identifier ?? null,
    service_tier: serviceTier(request.service_tier),
    store: request.store ?? true,
    temperature: request.temperature ?? 1,
    text: { format: formatOf(format), verbosity },
    tool_choice: request.tool_choice ?? "auto",
    tools: asArray(request.tools).map(toolOf),
    top_logprobs: request.top_logprobs ?? 0,
    top_p: request.top_p ?? 1,
    truncation: request.truncation ?? "disabled",
    user: request.user ?? null
  }
}

/** An answer says which tier it was, and never that it was left to the project's settings. */
const serviceTier = (asked: unknown): unknown =>
  asked === undefined || asked === null || asked === "auto" ? "default" : asked
