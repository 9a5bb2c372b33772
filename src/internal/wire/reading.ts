/** How the answer to one request is read: as its wire format says, and as the request itself needs it. */
import type { ChatRequest } from "../../ChatRequest.js"
import * as LeakedToolCalls from "./leakedToolCalls.js"
import * as OutputTool from "./outputTool.js"
import type { Encoded, Reader, Wire } from "./wire.js"

/** The wire itself, unless the request needs more. */
export const of = (wire: Wire, request: ChatRequest, { outputTool }: Encoded): Reader => {
  const { tools = [], toolChoice } = request
  const names = tools.map(({ name }) => name)
  if (outputTool !== undefined) {
    return OutputTool.reader(LeakedToolCalls.reader(wire, new Set([...names, outputTool])), outputTool)
  }
  const free = toolChoice === undefined || toolChoice === "auto" || toolChoice === "none"
  return free || names.length === 0 ? wire : LeakedToolCalls.reader(wire, new Set(names))
}
