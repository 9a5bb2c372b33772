/** How the answer to one request is read: as its wire format says, and as the request itself needs it. */
import type { ChatRequest } from "../../ChatRequest.js"
import * as LeakedToolCalls from "./leakedToolCalls.js"
import * as OutputTool from "./outputTool.js"
import type { Encoded, Reader, Wire } from "./wire.js"

const noTools: NonNullable<ChatRequest["tools"]> = []

/** The wire itself, unless the request needs more. */
export const of = (wire: Wire, request: ChatRequest, { outputTool }: Encoded): Reader => {
  const { tools = noTools, toolChoice } = request
  const free = toolChoice === undefined || toolChoice === "auto" || toolChoice === "none"
  if (outputTool === undefined && (free || tools.length === 0)) return wire
  const names = new Set(tools.map(({ name }) => name))
  if (outputTool === undefined) return LeakedToolCalls.reader(wire, names)
  return OutputTool.reader(LeakedToolCalls.reader(wire, names.add(outputTool)), outputTool)
}
