/**
 * Replicate's predictions: created, looked at, cancelled. A prediction says one piece more at each look, unless its creator
 * asked to wait for the whole of it.
 */
import { hex } from "./ids.js"
import { asObject, isObject, words } from "./json.js"
import type { UpstreamRequest } from "./records.js"
import { type Answer, type Ask, type Problem, plainAsk, refusal, statusMessage, type Wire } from "./wire.js"

interface Prediction {
  readonly id: string
  readonly ask: Ask
  readonly input: unknown
  /** Pieces that have been said. */
  said: number
  state: "starting" | "processing" | "succeeded" | "canceled"
}

type Action = "create" | "wait" | "get" | "cancel"

/** So many predictions are kept. */
const kept = 1000

const refuse = (problem: Problem) => {
  switch (problem.kind) {
    case "credential":
      return said(401, "Unauthenticated", "You did not pass a valid authentication token")
    case "model":
      return said(422, "Invalid version or not permitted", "The specified version does not exist")
    case "textOnly":
      return said(
        422,
        "Input validation failed",
        `- input: Additional property ${problem.what} is not allowed`
      )
    case "endpoint":
      return said(404, "Not found", "The requested resource could not be found.")
    case "invalid":
      return said(422, "Input validation failed", problem.message)
    case "status":
      return said(problem.status, "Error", problem.message ?? statusMessage(problem.status))
  }
}

const said = (status: number, title: string, detail: string) => refusal(status, { title, detail, status })

const move = (prediction: Prediction, action: Action, answer: Answer): void => {
  const length = answer.chunks.length
  if (prediction.state === "succeeded" || prediction.state === "canceled") return
  if (action === "cancel") prediction.state = "canceled"
  else if (action === "wait") prediction.said = length
  else if (action === "get") prediction.said++
  if (action === "wait" || (action === "get" && prediction.said >= length)) prediction.state = "succeeded"
  else if (action === "get") prediction.state = "processing"
}

const shown = ({ id, input, said, state }: Prediction, answer: Answer) => ({
  id,
  model: answer.model,
  version: "hidden",
  input,
  logs: "",
  output: state === "starting" ? null : answer.chunks.slice(0, said),
  data_removed: false,
  error: null,
  status: state,
  created_at: new Date(answer.now).toISOString(),
  urls: {
    cancel: `https://api.replicate.com/v1/predictions/${id}/cancel`,
    get: `https://api.replicate.com/v1/predictions/${id}`
  },
  ...(state === "succeeded"
    ? { metrics: { input_token_count: answer.usage.input, output_token_count: answer.usage.output } }
    : {})
})

/** A gateway has its own: predictions are remembered. */
export const replicateWire = (): Wire => {
  const predictions = new Map<string, Prediction>()
  const asked = new WeakMap<Ask, { readonly prediction: Prediction; readonly action: Action }>()

  const about = (prediction: Prediction, action: Action): Ask => {
    const ask = { ...prediction.ask }
    asked.set(ask, { prediction, action })
    return ask
  }

  const create = ({ body, headers }: UpstreamRequest): Ask | Problem => {
    if (!isObject(body)) return { kind: "invalid", message: "- the body: Invalid type" }
    if (typeof body.version !== "string") return { kind: "invalid", message: "- version is required" }
    const input = asObject(body.input)
    if (typeof input.prompt !== "string") return { kind: "invalid", message: "- input: prompt is required" }
    const { prompt, system_prompt: system } = input
    const ask: Ask = {
      ...plainAsk,
      model: body.version,
      text: prompt,
      inputWords: words(prompt) + (typeof system === "string" ? words(system) : 0)
    }
    const prediction: Prediction = { id: hex(26), ask, input, said: 0, state: "starting" }
    predictions.set(prediction.id, prediction)
    const [oldest] = predictions.keys()
    if (predictions.size > kept && oldest !== undefined) predictions.delete(oldest)
    return about(prediction, /^wait\b/.test(headers.prefer ?? "") ? "wait" : "create")
  }

  return {
    parse: (request) => {
      const path = (request.endpoint.split("?")[0] ?? "").replace(/^v1\//, "")
      if (path === "predictions")
        return request.method === "POST" ? create(request) : { kind: "endpoint", path }
      const [, id = "", cancel] = /^predictions\/([^/]+)(\/cancel)?$/.exec(path) ?? []
      const prediction = predictions.get(id)
      if (prediction === undefined || request.method !== (cancel === undefined ? "GET" : "POST"))
        return { kind: "endpoint", path }
      return about(prediction, cancel === undefined ? "get" : "cancel")
    },
    whole: (ask, answer) => {
      const { prediction, action } = asked.get(ask) ?? {}
      if (prediction === undefined || action === undefined) return {}
      move(prediction, action, answer)
      return shown(prediction, answer)
    },
    frames: () => [],
    contentType: "application/json",
    overloaded: 503,
    refuse,
    errorFrame: (problem) => JSON.stringify(refuse(problem).body),
    keepAlive: "",
    headers: () => ({})
  }
}
