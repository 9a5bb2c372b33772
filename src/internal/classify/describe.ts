/**
 * Anything that was thrown, in words.
 */
import { extractMessage } from "./extract.js"
import { field, isRecord, line, stringify, textOf } from "./text.js"

const limit = 1000
const depth = 16

/** What is behind an error: its cause, or the first of several (Node reports both tries of a dual-stack host). */
const behind = (thrown: unknown): unknown => {
  const cause = field(thrown, "cause")
  if (cause !== undefined && cause !== null) return cause
  const errors = field(thrown, "errors")
  return Array.isArray(errors) ? errors[0] : undefined
}

const isError = (u: unknown): boolean =>
  u instanceof Error || (typeof u === "object" && u !== null && typeof field(u, "message") === "string")

const chain = (thrown: unknown): ReadonlyArray<unknown> => {
  const links: Array<unknown> = []
  for (
    let link = thrown;
    links.length < depth && isError(link) && !links.includes(link);
    link = behind(link)
  ) {
    links.push(link)
    const next = behind(link)
    if (typeof next === "string" && next.trim() !== "") links.push(next)
  }
  return links
}

const messageOf = (link: unknown): string | undefined => textOf(link) ?? textOf(field(link, "message"))

const describeError = (thrown: unknown): string | undefined => {
  const links = [...chain(thrown)].reverse()
  const message = links.map(messageOf).find((text) => text !== undefined)
  const code = links
    .map((link) => field(link, "code"))
    .find((value) => typeof value === "string" && value !== "")
  if (message === undefined) return textOf(code) ?? textOf(field(thrown, "name"))
  return typeof code === "string" && !message.includes(code) ? `${message} (${code})` : message
}

const describeValue = (thrown: unknown): string => {
  switch (typeof thrown) {
    case "string":
      return textOf(thrown) ?? "An empty string was thrown"
    case "function":
      return "A function was thrown"
    case "object": {
      if (thrown === null) return "null was thrown"
      const known = describeError(thrown) ?? (isRecord(thrown) ? extractMessage(thrown) : undefined)
      if (known !== undefined) return known
      const json = stringify(thrown)
      return json === undefined || json === "{}" ? "An object without a message was thrown" : json
    }
    default:
      return `${String(thrown)} was thrown`
  }
}

/**
 * The text of any thrown value for a person: the message of the error at the root of the chain, with its code
 * (`ECONNREFUSED`) where the message does not name it. At most 1000 characters; never throws, never empty, never
 * `[object Object]`.
 *
 * @since 0.1.0
 */
export const describe = (thrown: unknown): string => {
  try {
    return line(describeValue(thrown), limit) || "An error without a message was thrown"
  } catch {
    // A revoked proxy throws at any touch.
    return "A value that cannot be read was thrown"
  }
}
