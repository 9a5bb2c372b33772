/** Workers AI as the binding has it: no envelope around an answer, and errors in a form of their own. */
import { workersAiError } from "./errors.js"
import { asArray, asObject, isObject } from "./json.js"
import { type Problem, type Refusal, refusal, type Wire } from "./wire.js"

const bare = (body: unknown): unknown => (isObject(body) && "result" in body ? body.result : body)

const refuse =
  (wire: Wire) =>
  (problem: Problem): Refusal => {
    const { status, body, headers } = wire.refuse(problem)
    const { code, message } = asObject(asArray(asObject(body).errors)[0])
    return refusal(status, workersAiError(status, Number(code), String(message)), headers)
  }

export const bareWorkersAi = (wire: Wire): Wire => {
  const refuseBare = refuse(wire)
  return {
    ...wire,
    parse: (request) => {
      const asked = wire.parse(request)
      return "_tag" in asked && asked._tag === "Embed"
        ? { ...asked, whole: (vectors) => bare(asked.whole(vectors)) }
        : asked
    },
    whole: (ask, answer) => bare(wire.whole(ask, answer)),
    refuse: refuseBare,
    errorFrame: (problem) => `data: ${JSON.stringify(refuseBare(problem).body)}\n\n`
  }
}
