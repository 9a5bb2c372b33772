/** Messages and their blocks in a request of Anthropic's: what it finds wrong with them. */
import { asArray, asObject, isObject, type JsonObject } from "./json.js"
import { invalid, type Problem } from "./wire.js"

const userBlocks = ["text", "image", "document", "tool_result", "search_result", "container_upload"]
const assistantBlocks = ["text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "compaction"]

export const blocksOf = (message: JsonObject): ReadonlyArray<JsonObject> =>
  asArray(message.content).map(asObject)

const badSource = (source: JsonObject, at: string, types: ReadonlyArray<string>): Problem | undefined => {
  const { type } = source
  if (typeof type !== "string" || !types.includes(type))
    return invalid(
      `${at}.source: Input tag '${String(type)}' found using 'type' does not match any of the expected tags: ${types.map((name) => `'${name}'`).join(", ")}`
    )
  const needed: Readonly<Record<string, ReadonlyArray<string>>> = {
    base64: ["data", "media_type"],
    text: ["data", "media_type"],
    url: ["url"],
    file: ["file_id"],
    content: ["content"]
  }
  const missing = needed[type]?.find((name) => source[name] === undefined)
  return missing === undefined ? undefined : invalid(`${at}.source.${type}.${missing}: Field required`)
}

const imageTypes = ["image/jpeg", "image/png", "image/gif", "image/webp"]

const badBlock = (block: JsonObject, role: string, at: string): Problem | undefined => {
  const type = String(block.type)
  const allowed = role === "assistant" ? assistantBlocks : userBlocks
  if (!allowed.includes(type) && !/_tool_result$|^mcp_/.test(type))
    return invalid(
      `${at}: Input tag '${type}' found using 'type' does not match any of the expected tags: ${allowed.map((name) => `'${name}'`).join(", ")}`
    )
  switch (type) {
    case "text":
      if (typeof block.text !== "string") return invalid(`${at}.text.text: Field required`)
      return block.text === "" ? invalid("messages: text content blocks must be non-empty") : undefined
    case "image": {
      const source = asObject(block.source)
      if (source.type === "base64" && !imageTypes.includes(String(source.media_type)))
        return invalid(
          `${at}.image.source.base64.media_type: Input should be ${imageTypes.map((name) => `'${name}'`).join(", ")}`
        )
      return badSource(source, `${at}.image`, ["base64", "url", "file"])
    }
    case "document":
      return badSource(asObject(block.source), `${at}.document`, ["base64", "text", "url", "file", "content"])
    case "tool_use":
      if (typeof block.id !== "string" || !/^[a-zA-Z0-9_-]+$/.test(block.id))
        return invalid(`${at}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`)
      return isObject(block.input)
        ? undefined
        : invalid(`${at}.tool_use.input: Input should be a valid dictionary`)
    case "tool_result":
      return typeof block.tool_use_id === "string"
        ? undefined
        : invalid(`${at}.tool_result.tool_use_id: Field required`)
    case "thinking":
      return typeof block.signature === "string"
        ? undefined
        : invalid(`${at}.thinking.signature: Field required`)
    default:
      return undefined
  }
}

export const badMessage = (message: JsonObject, index: number): Problem | undefined => {
  const { content, role } = message
  if (typeof content === "string")
    return content === ""
      ? invalid(`messages.${index}: user messages must have non-empty content`)
      : undefined
  if (!Array.isArray(content)) return invalid(`messages.${index}.content: Field required`)
  if (content.length === 0) return invalid(`messages.${index}: all messages must have non-empty content`)
  let talked = false
  for (const [place, block] of blocksOf(message).entries()) {
    const problem = badBlock(block, String(role), `messages.${index}.content.${place}`)
    if (problem !== undefined) return problem
    if (block.type !== "tool_result") talked = true
    else if (talked)
      return invalid(
        `messages.${index}: \`tool_result\` blocks must come before any other content in the message`
      )
  }
  return undefined
}

/** Each call is answered in the very next message, and each result answers a call of the one before. */
export const badPairs = (messages: ReadonlyArray<JsonObject>): Problem | undefined => {
  let open: ReadonlyArray<string> = []
  for (const [index, message] of messages.entries()) {
    const blocks = blocksOf(message)
    for (const [place, block] of blocks.entries())
      if (block.type === "tool_result" && !open.includes(String(block.tool_use_id)))
        return invalid(
          `messages.${index}.content.${place}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${String(block.tool_use_id)}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`
        )
    const answered = blocks.map(({ tool_use_id }) => tool_use_id)
    const missing = open.filter((id) => !answered.includes(id))
    if (missing.length > 0)
      return invalid(
        `messages.${index - 1}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`
      )
    open = blocks.filter(({ type }) => type === "tool_use").map(({ id }) => String(id))
  }
  return open.length === 0
    ? undefined
    : invalid(
        `messages.${messages.length - 1}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`
      )
}
