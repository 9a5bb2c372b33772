/**
 * JSON that is still being written: at any time, the value as far as it has come. Each character is looked at once, and what
 * is complete is shared between the values that are given out.
 */

/** Where the text stands: in the middle, at the end of the value, or where no JSON can go on. */
export type Progress = "open" | "closed" | "broken"

export interface PartialJson {
  /** Reads on. True if the value has changed by it. */
  readonly push: (text: string) => boolean
  /**
   * The value so far, never changed afterwards; `undefined` before it has begun. A string is there from its first character
   * on; a number, a literal and a key only when they are complete.
   */
  readonly value: () => unknown
  /** The text has ended: a number at its root is complete. */
  readonly end: () => void
  readonly progress: () => Progress
}

type Container =
  | { readonly array: Array<unknown>; readonly record?: undefined; key: string }
  | { readonly array?: undefined; readonly record: Record<string, unknown>; key: string }

type Expected =
  /** Nothing yet; a block of Markdown may begin here. */
  | "start"
  | "fence"
  | "value"
  /** A value, or the end of an empty array. */
  | "first-item"
  | "key"
  /** A key, or the end of an empty object. */
  | "first-key"
  | "colon"
  | "comma"
  | "string"
  | "escape"
  | "scalar"
  /** White space, or the end of a block of Markdown. */
  | "nothing"
  | "broken"

const quote = 0x22
const backslash = 0x5c

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t"
}

const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const fence = /^```(?:json)?[^\S\n]*$/i

export const make = (): PartialJson => new Reader()

class Reader implements PartialJson {
  private expected: Expected = "start"
  /** The containers that are open, the root first. An open one is not yet part of the one around it. */
  private readonly open: Array<Container> = []
  private root: unknown
  private changed = false
  /** The string, scalar or fence that is being read. */
  private text = ""
  private isKey = false
  /** Is `text` a string of the value, so far? */
  private inString = false
  /** How much of it the last value had. */
  private shown = 0
  /** An escape sequence that is being read, without its backslash. */
  private escape = ""

  push(text: string): boolean {
    this.changed = false
    let at = 0
    while (at < text.length && this.expected !== "broken") at = this.read(text, at)
    if (this.inString) this.show(this.shownLength())
    return this.changed
  }

  value(): unknown {
    let inner: unknown = this.inString ? this.text.slice(0, this.shownLength()) : undefined
    if (this.open.length === 0) return inner ?? this.root
    for (let depth = this.open.length - 1; depth >= 0; depth--) {
      const container = this.open[depth]
      if (container?.array !== undefined) {
        inner = inner === undefined ? container.array.slice() : [...container.array, inner]
      } else if (container !== undefined) {
        const copy = { ...container.record }
        if (inner !== undefined) put(copy, container.key, inner)
        inner = copy
      }
    }
    return inner
  }

  end(): void {
    if (this.expected === "scalar") this.scalar()
  }

  progress(): Progress {
    return this.expected === "broken" ? "broken" : this.expected === "nothing" ? "closed" : "open"
  }

  // --- one step -------------------------------------------------------------------------------------------------------

  /** Reads one character or more, and gives the place behind. */
  private read(text: string, at: number): number {
    if (this.expected === "string") return this.readString(text, at)
    if (this.expected === "escape") return this.readEscape(text, at)
    const char = text[at] ?? ""
    if (this.expected === "scalar") {
      if (/[-+.\w]/.test(char) && this.text.length < 400) this.text += char
      else {
        this.scalar()
        return at
      }
    } else if (this.expected === "fence") {
      if (char === "\n") this.expected = fence.test(this.text) ? "value" : "broken"
      else if (this.text.length > 16) this.expected = "broken"
      else this.text += char
    } else if (char !== " " && char !== "\n" && char !== "\r" && char !== "\t") this.begin(char)
    return at + 1
  }

  private begin(char: string): void {
    switch (this.expected) {
      case "start":
        if (char !== "`") return this.beginValue(char)
        this.text = char
        this.expected = "fence"
        return
      case "value":
        return this.beginValue(char)
      case "first-item":
        return char === "]" ? this.close() : this.beginValue(char)
      case "first-key":
        return char === "}" ? this.close() : this.beginKey(char)
      case "key":
        return this.beginKey(char)
      case "colon":
        this.expected = char === ":" ? "value" : "broken"
        return
      case "comma": {
        const isArray = this.open.at(-1)?.array !== undefined
        if (char === ",") this.expected = isArray ? "value" : "key"
        else if (char === (isArray ? "]" : "}")) this.close()
        else this.expected = "broken"
        return
      }
      default:
        if (char !== "`") this.expected = "broken"
    }
  }

  private beginValue(char: string): void {
    this.text = ""
    if (char === '"') {
      this.isKey = false
      this.inString = true
      this.shown = 0
      this.expected = "string"
      this.changed = true
    } else if (char === "{") {
      this.open.push({ record: {}, key: "" })
      this.expected = "first-key"
      this.changed = true
    } else if (char === "[") {
      this.open.push({ array: [], key: "" })
      this.expected = "first-item"
      this.changed = true
    } else if (/[-\dtfn]/.test(char)) {
      this.text = char
      this.expected = "scalar"
    } else this.expected = "broken"
  }

  private beginKey(char: string): void {
    this.text = ""
    this.isKey = true
    this.expected = char === '"' ? "string" : "broken"
  }

  private readString(text: string, start: number): number {
    let at = start
    while (at < text.length) {
      const code = text.charCodeAt(at)
      if (code === quote || code === backslash || code < 0x20) break
      at++
    }
    if (at > start) this.text += text.slice(start, at)
    if (at === text.length) return at
    const code = text.charCodeAt(at)
    if (code === quote) this.string()
    else if (code === backslash) {
      this.escape = ""
      this.expected = "escape"
    } else this.expected = "broken"
    return at + 1
  }

  private readEscape(text: string, at: number): number {
    this.escape += text[at] ?? ""
    if (this.escape[0] !== "u") {
      const char = escapes[this.escape]
      if (char === undefined) this.expected = "broken"
      else this.unescaped(char)
    } else if (this.escape.length === 5) {
      if (/^u[\da-f]{4}$/i.test(this.escape)) {
        this.unescaped(String.fromCharCode(Number.parseInt(this.escape.slice(1), 16)))
      } else this.expected = "broken"
    }
    return at + 1
  }

  private unescaped(char: string): void {
    this.text += char
    this.expected = "string"
  }

  // --- what is complete -----------------------------------------------------------------------------------------------

  private string(): void {
    const container = this.open.at(-1)
    if (this.isKey && container !== undefined) {
      container.key = this.text
      this.expected = "colon"
      return
    }
    this.inString = false
    this.show(this.text.length)
    this.complete(this.text)
  }

  private scalar(): void {
    const { text } = this
    this.changed = true
    if (number.test(text)) this.complete(Number(text))
    else if (text === "true") this.complete(true)
    else if (text === "false") this.complete(false)
    else if (text === "null") this.complete(null)
    else this.expected = "broken"
  }

  private close(): void {
    const container = this.open.pop()
    this.complete(container?.array ?? container?.record)
  }

  private complete(value: unknown): void {
    const container = this.open.at(-1)
    if (container === undefined) {
      this.root = value
      this.expected = "nothing"
      return
    }
    if (container.array !== undefined) container.array.push(value)
    else put(container.record, container.key, value)
    this.expected = "comma"
  }

  // --- strings in the making ------------------------------------------------------------------------------------------

  private show(length: number): void {
    if (length !== this.shown) this.changed = true
    this.shown = length
  }

  /** Half of a character is not shown. */
  private shownLength(): number {
    const { length } = this.text
    return isHighSurrogate(this.text.charCodeAt(length - 1)) ? length - 1 : length
  }
}

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff

/** As `JSON.parse` does it: a property of its own, whatever its name. */
const put = (record: Record<string, unknown>, key: string, value: unknown): void => {
  if (key === "__proto__") {
    Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true })
  } else record[key] = value
}

/** Models without a mode for JSON like to put it into a block of Markdown. */
export const withoutFence = (text: string): string =>
  /^\s*```(?:json)?[^\S\n]*\n([\s\S]*?)\s*```\s*$/i.exec(text)?.[1] ?? text
