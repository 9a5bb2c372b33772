/** The gateway on its socket, as a test in the page sees it. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { AiGateway, Anthropic, GoogleAiStudio, OpenAi, WorkersAi } from "effect-ai-gateway"
import { inject } from "vitest"
import { type Records, type Settings, stringify } from "../workers/control.js"

const url = inject("gatewayUrl")

export type Needs =
  | AiGateway.AiGateway
  | OpenAi.OpenAi
  | Anthropic.Anthropic
  | GoogleAiStudio.GoogleAiStudio
  | WorkersAi.WorkersAi

export const application = Layer.mergeAll(
  OpenAi.layer(),
  Anthropic.layer(),
  GoogleAiStudio.layer(),
  WorkersAi.layer()
).pipe(
  Layer.provideMerge(
    AiGateway.layer({
      accountId: "local-account",
      gatewayId: "local-gateway",
      token: Redacted.make("local-token"),
      baseUrl: `${url}/v1`
    })
  ),
  Layer.provide(FetchHttpClient.layer)
)

const ask = (path: string, init?: RequestInit): Effect.Effect<string> =>
  Effect.promise(async () => {
    const response = await fetch(`${url}/control/${path}`, init)
    if (!response.ok) throw new Error(`${path}: ${response.status}`)
    return response.text()
  })

/** Puts a new gateway with these settings behind the socket, with nothing recorded and nothing cached. */
export const set = (upstreams: NonNullable<Settings["upstreams"]>): Effect.Effect<void> =>
  Effect.asVoid(ask("gateway", { method: "POST", body: stringify({ upstreams }) }))

/** What it has seen since. */
export const records: Effect.Effect<Records> = Effect.map(ask("records"), (text) => JSON.parse(text))

/** Waits for something that the gateway sees, and gives what was seen then. */
export const eventually = (what: string, condition: (seen: Records) => boolean): Effect.Effect<Records> =>
  Effect.gen(function* () {
    for (let attempt = 0; attempt < 200; attempt++) {
      const seen = yield* records
      if (condition(seen)) return seen
      yield* Effect.promise(() => new Promise<void>((resolve) => setTimeout(resolve, 10)))
    }
    return assert.fail(`did not happen: ${what}`)
  })

/** Who was asked, in order. */
export const asked = ({ requests }: Records): ReadonlyArray<string | undefined> =>
  requests.map(({ provider }) => provider)
