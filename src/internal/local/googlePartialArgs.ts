/** Arguments of a call as Vertex streams them when asked to: values at JSON paths, one after the other. */
import { isObject } from "./json.js"

type Part = Readonly<Record<string, unknown>>

const key = (path: string, name: string): string =>
  /^[A-Za-z_$][\w$]*$/.test(name) ? `${path}.${name}` : `${path}['${name.replaceAll("'", "\\'")}']`

function* leaves(value: unknown, path: string): Iterable<readonly [path: string, value: unknown]> {
  if (Array.isArray(value))
    for (const [index, item] of value.entries()) yield* leaves(item, `${path}[${index}]`)
  else if (isObject(value))
    for (const [name, item] of Object.entries(value)) yield* leaves(item, key(path, name))
  else yield [path, value]
}

/** The lists of `partialArgs`, one for each chunk. A text comes in two pieces, and an empty one closes it. */
export function* partialArgs(args: unknown): Iterable<ReadonlyArray<Part>> {
  for (const [jsonPath, value] of leaves(args, "$")) {
    if (typeof value === "string") {
      const half = Math.ceil(value.length / 2)
      for (const piece of [value.slice(0, half), value.slice(half)])
        if (piece !== "") yield [{ jsonPath, stringValue: piece, willContinue: true }]
      yield [{ jsonPath, stringValue: "" }]
    } else if (typeof value === "number") yield [{ jsonPath, numberValue: value }]
    else if (typeof value === "boolean") yield [{ jsonPath, boolValue: value }]
    else yield [{ jsonPath, nullValue: "NULL_VALUE" }]
  }
}
