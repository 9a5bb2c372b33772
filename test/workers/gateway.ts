/** The gateway behind the binding, as a test in `workerd` sees it. */
import { env } from "cloudflare:test"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { type Records, type Settings, stringify } from "./control.js"

/** The binding of the gateway, Cloudflare's own. */
export const binding = () => env.AI.gateway("local-gateway")

const ask = (path: string, init?: RequestInit): Effect.Effect<string> =>
  Effect.promise(async () => {
    const response = await fetch(`${env.GATEWAY_URL}/control/${path}`, init)
    if (!response.ok) throw new Error(`${path}: ${response.status}`)
    return response.text()
  })

/** Puts a new gateway with these settings behind the binding, with nothing recorded and nothing cached. */
export const set = (settings: Settings = {}): Effect.Effect<void> =>
  Effect.asVoid(ask("gateway", { method: "POST", body: stringify(settings) }))

/** What it has seen since. */
export const records: Effect.Effect<Records> = Effect.map(ask("records"), (text) => JSON.parse(text))

/** Real time, whatever the test's clock says: sockets know no other. */
export const pause = (millis: number): Effect.Effect<void> =>
  Effect.promise(() => new Promise<void>((resolve) => setTimeout(resolve, millis)))

/** Waits for something that another process does, and gives what was seen then. */
export const eventually = (what: string, condition: (seen: Records) => boolean): Effect.Effect<Records> =>
  Effect.gen(function* () {
    for (let attempt = 0; attempt < 200; attempt++) {
      const seen = yield* records
      if (condition(seen)) return seen
      yield* pause(10)
    }
    return assert.fail(`did not happen: ${what}`)
  })

/** So many requests have come, the last of them is over because its client went away, and no more follow. */
export const gone = (requests: number): Effect.Effect<void> =>
  Effect.gen(function* () {
    yield* eventually("nothing in flight", ({ inFlight }) => inFlight === 0)
    yield* pause(50)
    const seen = yield* records
    assert.lengthOf(seen.requests, requests)
    assert.strictEqual(seen.inFlight, 0)
    assert.isTrue(seen.requests.at(-1)?.aborted)
  })
