/** Messages and their content blocks in a request of Converse: what Bedrock finds wrong with them. */
import { asArray, asObject, isObject, type JsonObject } from "./json.js"
import { invalid, type Problem } from "./wire.js"

export const blocksOf = (message: JsonObject | undefined): ReadonlyArray<JsonObject> =>
  asArray(message?.content).map(asObject)

/** The members of a content block, of which it has exactly one. */
const members = [
  "text",
  "image",
  "document",
  "video",
  "audio",
  "toolUse",
  "toolResult",
  "guardContent",
  "cachePoint",
  "reasoningContent",
  "citationsContent",
  "searchResult"
]

const formats = {
  image: ["png", "jpeg", "gif", "webp"],
  document: ["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"]
}

export const enumProblem = (at: string, value: unknown, allowed: ReadonlyArray<string>): Problem =>
  invalid(
    `1 validation error detected: Value '${String(value)}' at '${at}' failed to satisfy constraint: Member must satisfy enum value set: [${allowed.join(", ")}]`
  )

const badMedia = (kind: "image" | "document", block: JsonObject, at: string): Problem | undefined => {
  const { format, source, name } = block
  if (!formats[kind].includes(String(format)))
    return enumProblem(`${at}.${kind}.format`, format, formats[kind])
  const { bytes, s3Location } = asObject(source)
  if (s3Location === undefined && (typeof bytes !== "string" || !/^[A-Za-z0-9+/]+={0,2}$/.test(bytes)))
    return invalid(`The ${kind} source at ${at} must have bytes or an S3 location.`)
  if (kind === "document") {
    if (typeof name !== "string") return invalid(`The document file name at ${at} is required.`)
    if (!/^[a-zA-Z0-9\s\-()[\]]{1,200}$/.test(name) || /\s{2,}/.test(name))
      return invalid(
        "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and square brackets. The name can't contain more than one consecutive whitespace character."
      )
  }
  return undefined
}

const badResult = (result: JsonObject, at: string): Problem | undefined => {
  if (typeof result.toolUseId !== "string") return invalid(`${at}.toolResult.toolUseId is required.`)
  if (!Array.isArray(result.content)) return invalid(`${at}.toolResult.content must be a list.`)
  if (result.status !== undefined && result.status !== "success" && result.status !== "error")
    return enumProblem(`${at}.toolResult.status`, result.status, ["success", "error"])
  for (const [index, part] of result.content.map(asObject).entries()) {
    const place = `${at}.toolResult.content.${index}`
    if (part.json !== undefined && !isObject(part.json))
      return invalid(`The value at ${place}.json must be an object.`)
    const media = (["image", "document"] as const).find((kind) => part[kind] !== undefined)
    const problem = media === undefined ? undefined : badMedia(media, asObject(part[media]), place)
    if (problem !== undefined) return problem
    if (
      ["text", "json", "image", "document", "video", "searchResult"].every((name) => part[name] === undefined)
    )
      return invalid(`The content block at ${place} has no member that is known.`)
  }
  return undefined
}

const badBlock = (block: JsonObject, role: unknown, at: string): Problem | undefined => {
  const kinds = Object.keys(block)
  const kind = kinds[0]
  if (kind === undefined || kinds.length > 1 || !members.includes(kind))
    return invalid(
      `The value at ${at} must have exactly one of ${members.join(", ")}; it has ${kinds.join(", ") || "none"}.`
    )
  switch (kind) {
    case "text":
      if (typeof block.text !== "string") return invalid(`The text at ${at} must be a string.`)
      return block.text.trim() === ""
        ? invalid(
            `The text field in the ContentBlock object at ${at} is blank. Add text to the text field, and try again.`
          )
        : undefined
    case "image":
    case "document":
      return role === "user"
        ? badMedia(kind, asObject(block[kind]), at)
        : invalid(`${kind} blocks are only allowed in user messages.`)
    case "toolUse": {
      const { toolUseId, name, input } = asObject(block.toolUse)
      if (role !== "assistant") return invalid("toolUse blocks are only allowed in assistant messages.")
      if (typeof toolUseId !== "string" || !/^[a-zA-Z0-9_-]{1,64}$/.test(toolUseId))
        return invalid(
          `1 validation error detected: Value '${String(toolUseId)}' at '${at}.toolUse.toolUseId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+`
        )
      if (typeof name !== "string") return invalid(`${at}.toolUse.name is required.`)
      return isObject(input)
        ? undefined
        : invalid(
            `The format of the value at ${at}.toolUse.input is invalid. Provide a json object for the field and try again.`
          )
    }
    case "toolResult":
      return role === "user"
        ? badResult(asObject(block.toolResult), at)
        : invalid("toolResult blocks are only allowed in user messages.")
    default:
      return undefined
  }
}

export const idsOf = (
  message: JsonObject | undefined,
  kind: "toolUse" | "toolResult"
): ReadonlyArray<string> =>
  blocksOf(message).flatMap((block) =>
    block[kind] === undefined ? [] : [String(asObject(block[kind]).toolUseId)]
  )

const badPairs = (messages: ReadonlyArray<JsonObject>): Problem | undefined => {
  for (let index = 0; index <= messages.length; index++) {
    const calls = idsOf(messages[index - 1], "toolUse")
    const results = idsOf(messages[index], "toolResult")
    if (results.some((id) => !calls.includes(id)))
      return invalid(
        `The number of toolResult blocks at messages.${index}.content exceeds the number of toolUse blocks of previous turn.`
      )
    const missing = calls.filter((id) => !results.includes(id))
    if (missing.length > 0)
      return invalid(
        `Expected toolResult blocks at messages.${index}.content for the following Ids: ${missing.join(", ")}`
      )
  }
  return undefined
}

export const badMessages = (messages: ReadonlyArray<JsonObject>): Problem | undefined => {
  for (const [index, message] of messages.entries()) {
    const { role, content } = message
    if (role !== "user" && role !== "assistant")
      return enumProblem(`messages.${index + 1}.member.role`, role, ["user", "assistant"])
    if (!Array.isArray(content) || content.length === 0)
      return invalid(
        `The content field in the Message object at messages.${index} is empty. Add a ContentBlock object to the content field and try again.`
      )
    if (index === 0 && role !== "user")
      return invalid(
        "A conversation must start with a user message. Try again with a conversation that starts with a user message."
      )
    if (index > 0 && messages[index - 1]?.role === role)
      return invalid(
        "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again."
      )
    for (const [place, block] of blocksOf(message).entries()) {
      const problem = badBlock(block, role, `messages.${index}.content.${place}`)
      if (problem !== undefined) return problem
    }
  }
  return badPairs(messages)
}
