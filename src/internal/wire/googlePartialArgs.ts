/**
 * Arguments of a call that Vertex streams as patches: a path and what is there. Source: `protocol/wire-formats.md` §8.4.
 * A patch without a value opens an empty object, or an empty list if its path ends in `[]`: that is from vercel/ai, and not
 * in the protocol file.
 */
import { isRecord, type JsonRecord, stringify, typeName } from "../json.js"
import { type Fault, malformed } from "./wire.js"

type Segment = string | number
type Container = Record<string, unknown> | Array<unknown>

export class PartialArgs {
  // Without a prototype: a path may be called anything.
  private readonly root: Record<string, unknown> = Object.create(null)

  /** What came as an object. */
  merge(args: JsonRecord): void {
    Object.assign(this.root, args)
  }

  /** One patch. */
  add(patch: unknown, place: string): Fault | undefined {
    if (!isRecord(patch)) return malformed(place, `expected an object, found ${typeName(patch)}`)
    const { jsonPath } = patch
    if (typeof jsonPath !== "string") {
      return malformed(`${place}.jsonPath`, `expected text, found ${typeName(jsonPath)}`)
    }
    const isList = jsonPath.endsWith("[]")
    const segments = parsePath(isList ? jsonPath.slice(0, -2) : jsonPath)
    const wrong = (problem: string): Fault => malformed(`${place}.jsonPath`, `${quoted(jsonPath)} ${problem}`)
    if (segments === undefined) return wrong("is no path")
    const value = valueOf(patch, place)
    if (value !== undefined && "_tag" in value) return value
    const last = segments.at(-1)
    if (last === undefined) {
      return value === undefined ? undefined : wrong("is the arguments themselves, which are an object")
    }
    let container: Container = this.root
    for (let index = 0; index < segments.length - 1; index++) {
      const next: unknown = reach(container, segments[index] ?? "", typeof segments[index + 1] === "number")
      if (!isContainer(next)) return wrong("leads into something that is no object or list")
      container = next
    }
    if (Array.isArray(container) !== (typeof last === "number")) return wrong("mixes an object and a list")
    if (typeof last === "number" && Array.isArray(container) && last > container.length) {
      return wrong("leaves out elements of the list")
    }
    const there = at(container, last)
    if (value === undefined) {
      // The value is yet to come, or there is none: an empty container.
      if (there === undefined && patch.willContinue !== true)
        put(container, last, isList ? [] : emptyObject())
      return undefined
    }
    if (isContainer(there)) return wrong("is an object or a list already")
    const { found } = value
    put(container, last, typeof found === "string" && typeof there === "string" ? there + found : found)
    return undefined
  }

  /** All of them, as JSON text; absent if they are nested too deeply to be written. */
  text(): string | undefined {
    return stringify(this.root)
  }
}

const emptyObject = (): Record<string, unknown> => Object.create(null)

const quoted = (path: string): string => JSON.stringify(path.slice(0, 120))

const isContainer = (value: unknown): value is Container => typeof value === "object" && value !== null

const at = (container: Container, key: Segment): unknown =>
  Object.hasOwn(container, key) ? Reflect.get(container, key) : undefined

/** Defined, not assigned: what came as an object has a prototype, and a key may be called `__proto__`. */
const put = (container: Container, key: Segment, value: unknown): void => {
  Object.defineProperty(container, key, { value, writable: true, enumerable: true, configurable: true })
}

/** What is at a key; made if there is nothing. Absent if it cannot be what is needed. */
const reach = (container: Container, key: Segment, needsList: boolean): Container | undefined => {
  if (Array.isArray(container) !== (typeof key === "number")) return undefined
  if (Array.isArray(container) && Number(key) > container.length) return undefined
  const there = at(container, key)
  if (there === undefined) {
    const made = needsList ? [] : emptyObject()
    put(container, key, made)
    return made
  }
  return isContainer(there) && Array.isArray(there) === needsList ? there : undefined
}

/** The value of a patch, if it has one. */
const valueOf = (patch: JsonRecord, place: string): { readonly found: unknown } | Fault | undefined => {
  for (const [key, type] of [
    ["stringValue", "string"],
    ["numberValue", "number"],
    ["boolValue", "boolean"]
  ] as const) {
    const found = patch[key]
    if (found === undefined || found === null) continue
    return typeof found === type
      ? { found }
      : malformed(`${place}.${key}`, `expected a ${type}, found ${typeName(found)}`)
  }
  return Object.hasOwn(patch, "nullValue") ? { found: null } : undefined
}

const step = /\.([^.[\]]+)|\[(\d{1,9})\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/sy

/** `$.a[0].b`, `$['a']["b"]`. Absent if it is not a path to one place. */
const parsePath = (path: string): ReadonlyArray<Segment> | undefined => {
  if (!path.startsWith("$")) return undefined
  const segments: Array<Segment> = []
  for (let index = 1; index < path.length; index = step.lastIndex) {
    step.lastIndex = index
    const found = step.exec(path)
    if (found === null) return undefined
    const [, name, position, single, double] = found
    segments.push(name ?? (position === undefined ? unescaped(single ?? double ?? "") : Number(position)))
  }
  return segments
}

const escapes: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" }

const unescaped = (text: string): string =>
  text.replace(/\\(?:u([0-9a-f]{4})|(.))/gis, (_, code: string | undefined, character: string = "") =>
    code === undefined ? (escapes[character] ?? character) : String.fromCharCode(Number.parseInt(code, 16))
  )
