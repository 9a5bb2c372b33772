/** One entry of the log, as the binding reads and changes it. */
import type { Answered } from "./answered.js"
import { bindingErrors, gatewayError, jsonAnswer } from "./errors.js"
import { logPatchOf } from "./logPatch.js"
import { logView } from "./logView.js"
import type { RecordedRequest } from "./records.js"
import type { State } from "./step.js"

export const bindingLog = (
  state: State,
  place: { readonly gateway: string; readonly logId: string },
  { method, body }: RecordedRequest
): Answered => {
  if (method !== "GET" && method !== "PATCH") return gatewayError(405, undefined, "Method not allowed")
  const log = state.logs.find(place.gateway, place.logId)
  if (log === undefined) return bindingErrors(404, "Log not found")
  if (method === "GET")
    return jsonAnswer("gateway", 200, { success: true, result: { ...logView(log), metadata: log.metadata } })
  const patch = logPatchOf(body)
  if (typeof patch === "string") return bindingErrors(400, patch)
  state.logs.patch(log.id, patch)
  return jsonAnswer("gateway", 200, { success: true, result: {} })
}
