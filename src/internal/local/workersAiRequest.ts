/** A request of Workers AI's own `run`: read, or refused. */
import { embeddingModel, parseWorkersAiEmbedding } from "./embeddingRequests.js"
import { asArray, asObject, isObject, type JsonObject, words } from "./json.js"
import type { UpstreamRequest } from "./records.js"
import {
  type Ask,
  contentText,
  type Embed,
  invalid,
  type OfferedTool,
  type Problem,
  plainAsk
} from "./wire.js"

type ToolUse = Pick<Ask, "tools" | "forcedTool" | "toolsForbidden">

const toolUseOf = (body: JsonObject): ToolUse | Problem => {
  const tools: Array<OfferedTool> = []
  for (const [index, raw] of asArray(body.tools).entries()) {
    // Flat, as they once were, or as OpenAI has them.
    const { name, parameters } = asObject(asObject(raw).function ?? raw)
    if (typeof name !== "string")
      return invalid(`required properties at '/tools/${index}/function' are 'name'`)
    tools.push({ name, schema: parameters ?? { type: "object" } })
  }
  const choice = body.tool_choice
  const use = { tools, forcedTool: undefined, toolsForbidden: choice === "none" }
  if (choice === undefined || choice === "auto" || choice === "none") return use
  if (choice === "required") return { ...use, forcedTool: tools[0] }
  if (!isObject(choice)) return invalid("Type mismatch of '/tool_choice'")
  const { name } = asObject(choice.function)
  const tool = tools.find((tool) => tool.name === name)
  return tool === undefined
    ? invalid(`tool_choice: no tool of the name ${String(name)}`)
    : { ...use, forcedTool: tool }
}

const imagesIn = (messages: ReadonlyArray<JsonObject>): number =>
  messages.flatMap(({ content }) => asArray(content)).filter((part) => asObject(part).type === "image_url")
    .length

const badMessage = (message: JsonObject, index: number): Problem | undefined => {
  const { content, role } = message
  if (typeof role !== "string") return invalid(`required properties at '/messages/${index}' are 'role'`)
  if (content === null || content === undefined)
    return invalid(`Type mismatch of '/messages/${index}/content', 'string' not in 'null'`)
  const url = asArray(content)
    .map((part) => asObject(asObject(part).image_url).url)
    .find((url) => url !== undefined)
  return url === undefined || /^data:/.test(String(url))
    ? undefined
    : invalid(`'/messages/${index}/content': image_url must be a data URL`)
}

const lastResults = (messages: ReadonlyArray<JsonObject>): Ask["results"] => {
  const others = messages.map(({ role }) => role !== "tool")
  return messages
    .slice(others.lastIndexOf(true) + 1)
    .map(({ name, content }) => ({ name: String(name ?? ""), text: contentText(content) }))
}

export const parseRun = (request: UpstreamRequest): Ask | Embed | Problem => {
  const { body, endpoint } = request
  const model = (endpoint.split("?")[0] ?? "").replace(/^run\//, "")
  if (!isObject(body)) return invalid("must be object")
  if (embeddingModel.test(model)) return parseWorkersAiEmbedding(body, model)
  const { prompt, messages } = body
  if (typeof prompt !== "string" && !Array.isArray(messages))
    return invalid("oneOf at '/' not met, 0 matches: required properties at '/' are 'prompt', 'messages'")
  const list = asArray(messages).map(asObject)
  for (const [index, message] of list.entries()) {
    const problem = badMessage(message, index)
    if (problem !== undefined) return problem
  }
  const format = asObject(body.response_format)
  if (format.type === "json_schema") {
    if (body.stream === true) return invalid("JSON Mode does not support streaming")
    // A bare schema: there is no `{ name, schema }` around it here.
    const { schema, type } = asObject(format.json_schema)
    if (isObject(schema) && type === undefined) return invalid("JSON Mode couldn't be met")
  }
  const use = toolUseOf(body)
  if ("kind" in use) return use
  const users = list.filter(({ role }) => role === "user")
  return {
    ...plainAsk,
    ...use,
    model,
    stream: body.stream === true,
    text: typeof prompt === "string" ? prompt : contentText(users.at(-1)?.content),
    inputWords:
      typeof prompt === "string"
        ? words(prompt)
        : list.reduce((sum, message) => sum + words(contentText(message.content)), 0),
    results: lastResults(list),
    images: imagesIn(list),
    answerSchema:
      format.type === "json_schema"
        ? format.json_schema
        : format.type === "json_object"
          ? { type: "object" }
          : undefined
  }
}
