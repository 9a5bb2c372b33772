/** `env.AI.gateway(id)`, as the binding's own code behaves. */
import type { AiGatewayOptions, AiLog, LocalAi, LocalAiGateway } from "./ai.js"
import { aiGatewayInternalError, aiGatewayLogNotFound } from "./aiErrors.js"
import { asArray, asObject, isObject, parseJson } from "./json.js"

const host = "https://workers-binding.ai/ai-gateway"

/** Whatever is given under a name of an option becomes a header, but for what counts as nothing. */
const optionHeaders = (options: AiGatewayOptions, headers: Headers): void => {
  const set = (name: string, value: unknown) => headers.set(`cf-aig-${name}`, String(value))
  const flag = (name: string, value: unknown) => {
    if (value !== undefined) set(name, value ? "true" : "false")
  }
  const defined = (name: string, value: unknown) => {
    if (value !== undefined) set(name, value)
  }
  flag("skip-cache", options.skipCache)
  if (options.cacheTtl) set("cache-ttl", options.cacheTtl)
  if (options.metadata) set("metadata", JSON.stringify(options.metadata))
  if (options.cacheKey) set("cache-key", options.cacheKey)
  flag("collect-log", options.collectLog)
  defined("event-id", options.eventId)
  defined("request-timeout", options.requestTimeoutMs)
  defined("max-attempts", options.retries?.maxAttempts)
  defined("retry-delay", options.retries?.retryDelayMs)
  defined("backoff", options.retries?.backoff)
}

const headersOf = (options: AiGatewayOptions | undefined, extra: object | undefined): Headers => {
  const headers = new Headers({ "content-type": "application/json" })
  if (options !== undefined) optionHeaders(options, headers)
  for (const [name, value] of Object.entries(extra ?? {})) headers.set(name, String(value))
  return headers
}

/** In the caller's own object. */
const textOnly = (headers: object): void => {
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === "number" || typeof value === "boolean") Reflect.set(headers, name, String(value))
    else if (typeof value === "object" && value !== null) Reflect.set(headers, name, JSON.stringify(value))
  }
}

const failure = async (
  response: Response,
  message = "Internal Error",
  make = aiGatewayInternalError
): Promise<Error> => {
  const text = await response.text()
  const body = parseJson(text)
  if (!isObject(body) || !Array.isArray(body.errors)) return aiGatewayInternalError(text)
  const said = asObject(asArray(body.errors)[0]).message
  return make(typeof said === "string" && said !== "" ? said : message)
}

const logFailure = (response: Response): Promise<Error> =>
  response.status === 404 ? failure(response, "Log Not Found", aiGatewayLogNotFound) : failure(response)

export const makeAiGateway = (id: string, fetch: LocalAi["fetch"]): LocalAiGateway => {
  const ofGateway = `${host}/gateways/${id}`
  return {
    run: (data, options) => {
      const entries = Array.isArray(data) ? data : [data]
      const headers = headersOf(options?.gateway, options?.extraHeaders)
      for (const entry of entries) textOnly(entry.headers)
      return fetch(`${host}/universal/run/${id}`, {
        method: "POST",
        body: JSON.stringify(entries),
        headers,
        ...(options?.signal === undefined ? {} : { signal: options.signal })
      })
    },
    getUrl: async (provider = "universal") => {
      const response = await fetch(`${ofGateway}/url/${provider}`)
      if (!response.ok) throw await failure(response)
      return String(asObject(asObject(await response.json()).result).url)
    },
    getLog: async (logId) => {
      const response = await fetch(`${ofGateway}/logs/${logId}`)
      if (response.status !== 200) throw await logFailure(response)
      const result = asObject(asObject(await response.json()).result)
      const log: AiLog = {
        ...result,
        id: String(result.id),
        created_at: new Date(String(result.created_at))
      }
      return log
    },
    patchLog: async (logId, data) => {
      const response = await fetch(`${ofGateway}/logs/${logId}`, {
        method: "PATCH",
        body: JSON.stringify(data),
        headers: { "content-type": "application/json" }
      })
      if (response.status !== 200) throw await logFailure(response)
    }
  }
}
