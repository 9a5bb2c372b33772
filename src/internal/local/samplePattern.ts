/** A text that a regular expression accepts: enough of the grammar for what schemas say in practice. */

/** How often what may repeat does. */
type Times = (low: number, high: number) => number

class Reader {
  at = 0
  constructor(
    readonly source: string,
    readonly times: Times
  ) {}
  peek(): string {
    return this.source.charAt(this.at)
  }
  take(): string {
    return this.source.charAt(this.at++)
  }
}

/** The first alternative; the others are read and left. */
const alternatives = (reader: Reader): string => {
  const first = sequence(reader)
  while (reader.peek() === "|") {
    reader.take()
    sequence(reader)
  }
  return first
}

const sequence = (reader: Reader): string => {
  let text = ""
  while (reader.at < reader.source.length && reader.peek() !== "|" && reader.peek() !== ")") {
    const one = atom(reader)
    text += one.repeat(count(reader))
  }
  return text
}

const count = (reader: Reader): number => {
  const [text = "", low, comma, high] =
    /^(?:[*+?]|\{(\d+)(,?)(\d*)\})/.exec(reader.source.slice(reader.at)) ?? []
  reader.at += text.length
  if (text !== "" && reader.peek() === "?") reader.take()
  if (text === "") return 1
  if (text === "*") return reader.times(0, Number.POSITIVE_INFINITY)
  if (text === "+") return reader.times(1, Number.POSITIVE_INFINITY)
  if (text === "?") return reader.times(0, 1)
  return reader.times(
    Number(low),
    comma === "" ? Number(low) : high === "" ? Number.POSITIVE_INFINITY : Number(high)
  )
}

const atom = (reader: Reader): string => {
  const char = reader.take()
  switch (char) {
    case "^":
    case "$":
      return ""
    case ".":
      return "a"
    case "(": {
      const [opening = ""] = /^\?(?::|<?[=!]|<\w+>)/.exec(reader.source.slice(reader.at)) ?? []
      reader.at += opening.length
      const inner = alternatives(reader)
      reader.take()
      return /[=!]/.test(opening) ? "" : inner
    }
    case "[":
      return oneOf(reader)
    case "\\":
      return escaped(reader)
    default:
      return char
  }
}

const escaped = (reader: Reader): string => {
  const char = reader.take()
  switch (char) {
    case "d":
      return "0"
    case "w":
    case "S":
    case "D":
      return "a"
    case "s":
      return " "
    case "W":
      return "-"
    case "b":
    case "B":
      return ""
    case "n":
      return "\n"
    case "t":
      return "\t"
    case "u": {
      const code = reader.source.slice(reader.at, reader.at + 4)
      reader.at += 4
      return String.fromCharCode(Number.parseInt(code, 16))
    }
    default:
      return char
  }
}

/** A class's first character; of a negated one, something that is not in it. */
const oneOf = (reader: Reader): string => {
  const from = reader.at
  const negated = reader.peek() === "^"
  if (negated) reader.take()
  const start = reader.at
  let first: string | undefined
  while (reader.at < reader.source.length && (reader.peek() !== "]" || reader.at === start)) {
    const char = reader.take()
    const one = char === "\\" ? escaped(reader) : char
    first ??= one
  }
  reader.take()
  if (!negated) return first ?? ""
  const all = new RegExp(`[${reader.source.slice(from, reader.at)}`)
  return ["a", "0", "A", "-", " ", "."].find((char) => all.test(char)) ?? "a"
}

const mostRepeats = 64

/** A text for the pattern of at least so many characters; `undefined` if none was found. */
export const samplePattern = (pattern: string, minLength = 0): string | undefined => {
  try {
    const accepts = new RegExp(pattern, "u")
    for (let repeats = 0; repeats <= mostRepeats; repeats++) {
      const text = alternatives(new Reader(pattern, (low, high) => Math.min(high, Math.max(low, repeats))))
      if (text.length >= minLength && accepts.test(text)) return text
    }
  } catch {
    // A pattern that is none accepts nothing.
  }
  return undefined
}
