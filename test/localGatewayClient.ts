/** A client of the tests' own: they must not lean on the library's. */
import * as LocalGateway from "../src/LocalGateway.js"

export const origin = "https://gateway.ai.cloudflare.com/v1/local-account/local-gateway"
export const account = "https://api.cloudflare.com/client/v4/accounts/local-account/ai"

export interface Sent {
  /** Behind the gateway, or a whole URL. */
  readonly path: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
  readonly method?: string
}

export interface Received {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: assertions look into bodies of many shapes
  readonly json: any
}

export const request = ({ path, body, headers, method = "POST" }: Sent): Request =>
  new Request(path.startsWith("http") ? path : origin + path, {
    method,
    headers: {
      "content-type": "application/json",
      ...(path.startsWith("http")
        ? { authorization: "Bearer local-token" }
        : { "cf-aig-authorization": "Bearer local-token" }),
      ...headers
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })

export const send = async (gateway: LocalGateway.LocalGateway, sent: Sent): Promise<Received> => {
  const response = await gateway.handle(request(sent))
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    text,
    get json() {
      return JSON.parse(text)
    }
  }
}

export interface Event {
  readonly event: string | undefined
  readonly data: string
  // biome-ignore lint/suspicious/noExplicitAny: assertions look into events of many shapes
  readonly json: any
}

/** A reader of server-sent events in ten lines: what the bytes mean, whoever wrote them. */
export const events = (text: string): ReadonlyArray<Event> =>
  text
    .split(/\r?\n\r?\n/)
    .filter((block) => block !== "" && !block.startsWith(":"))
    .map((block) => {
      const lines = block.split(/\r?\n/)
      const data = lines
        .flatMap((line) => (line.startsWith("data:") ? [line.slice(5).trim()] : []))
        .join("\n")
      const event = lines
        .find((line) => line.startsWith("event:"))
        ?.slice(6)
        .trim()
      return { event, data, json: data === "[DONE]" ? undefined : JSON.parse(data) }
    })

/** A gateway whose provider gives these replies, and then echoes. */
export const answering = (
  provider: string,
  ...replies: ReadonlyArray<LocalGateway.Reply>
): LocalGateway.LocalGateway => LocalGateway.make({ upstreams: { [provider]: LocalGateway.script(replies) } })

/** One gateway for requests that are refused whatever it answers. */
export const plain = (): LocalGateway.LocalGateway => LocalGateway.make()

export const weather = {
  name: "weather",
  description: "The weather in a city",
  parameters: {
    type: "object",
    properties: { city: { type: "string" }, days: { type: "integer", minimum: 2 } },
    required: ["city", "days"],
    additionalProperties: false
  }
}

/** A one-pixel PNG. */
export const pixel =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
