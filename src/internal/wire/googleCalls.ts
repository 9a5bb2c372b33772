/** Calls of functions as Google writes them: whole, or on Vertex in pieces. Source: `protocol/wire-formats.md` §8.2, §8.4. */
import { isRecord, type JsonRecord, stringify, typeName } from "../json.js"
import { PartialArgs } from "./googlePartialArgs.js"
import { type Fault, malformed } from "./wire.js"

export interface FunctionCall {
  readonly id: unknown
  readonly name: string
  readonly arguments: string
}

/** Reads the calls of one answer in their order. */
export class Calls {
  private open: { readonly id: unknown; readonly name: string; readonly args: PartialArgs } | undefined
  private streamed = false

  /** A `functionCall` part: a call, or a piece of one. */
  read(call: unknown, place: string, push: (call: FunctionCall) => void): Fault | undefined {
    if (!isRecord(call)) return malformed(place, `expected an object, found ${typeName(call)}`)
    const { name, args } = call
    if (args !== undefined && args !== null && !isRecord(args)) {
      return malformed(`${place}.args`, `expected an object, found ${typeName(args)}`)
    }
    if (name === undefined || name === null || name === "") {
      // The end of a call that has ended already, as by the name of the next one.
      if (this.open === undefined && this.streamed && saysNothing(call)) return undefined
      if (this.open === undefined) {
        return malformed(
          `${place}.name`,
          name === "" ? "expected a tool's name, found empty text" : `expected text, found ${typeName(name)}`
        )
      }
    } else if (typeof name !== "string") {
      return malformed(`${place}.name`, `expected text, found ${typeName(name)}`)
    } else {
      const fault = this.close(push)
      if (fault !== undefined) return fault
      if (isAbsent(call.partialArgs) && call.willContinue !== true) {
        const text = stringify(args ?? {})
        if (text === undefined) return malformed(`${place}.args`, "the object is nested too deeply")
        push({ id: call.id, name, arguments: text })
        return undefined
      }
      this.open = { id: call.id, name, args: new PartialArgs() }
      this.streamed = true
    }
    if (isRecord(args)) this.open.args.merge(args)
    return this.patch(call, place) ?? (continues(call) ? undefined : this.close(push))
  }

  private patch({ partialArgs }: JsonRecord, place: string): Fault | undefined {
    if (isAbsent(partialArgs)) return undefined
    if (!Array.isArray(partialArgs)) {
      return malformed(`${place}.partialArgs`, `expected an array, found ${typeName(partialArgs)}`)
    }
    for (const [index, patch] of partialArgs.entries()) {
      const fault = this.open?.args.add(patch, `${place}.partialArgs[${index}]`)
      if (fault !== undefined) return fault
    }
    return undefined
  }

  /** Nothing more comes of an open call: its own end may be missing. */
  close(push: (call: FunctionCall) => void): Fault | undefined {
    if (this.open === undefined) return undefined
    const { id, name, args } = this.open
    this.open = undefined
    const text = args.text()
    if (text === undefined) return malformed("functionCall.partialArgs", "the object is nested too deeply")
    push({ id, name, arguments: text })
    return undefined
  }
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null

const saysNothing = (call: JsonRecord): boolean =>
  Object.values(call).every((value) => isAbsent(value) || value === "")

/** Is more of the call to come? */
const continues = ({ willContinue, partialArgs }: JsonRecord): boolean => {
  if (willContinue === true) return true
  const last: unknown = Array.isArray(partialArgs) ? partialArgs.at(-1) : undefined
  return isRecord(last) && last.willContinue === true
}
