/** An option means the same through the binding and over HTTPS: in an entry's headers and config, or in headers. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { AiGateway, ChatModel, LocalGateway, OpenAi, type RequestOptions } from "effect-ai-gateway"
import type { Records } from "./control.js"
import * as Gateway from "./gateway.js"
import { onBoth, throughBinding } from "./transports.js"

const { always, script, status, text } = LocalGateway

const openai = OpenAi.model("gpt-4.1-mini")

type Headers = Readonly<Record<string, string>>

/** The gateway's headers of a request, but for its token. */
const ofRequest = ({ requests }: Records): Headers => aig(requests.at(-1)?.headers ?? {})

const aig = (headers: Headers): Headers =>
  Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.startsWith("cf-aig-") && name !== "cf-aig-authorization")
  )

interface Entry {
  readonly headers: Headers
  readonly config?: Readonly<Record<string, string | number>>
}

const configured: Headers = {
  requestTimeout: "cf-aig-request-timeout",
  maxAttempts: "cf-aig-max-attempts",
  retryDelay: "cf-aig-retry-delay",
  backoff: "cf-aig-backoff"
}

const entriesOf = ({ requests }: Records) => (requests.at(-1)?.body ?? []) as ReadonlyArray<Entry>

/** The same headers, of an entry. */
const ofEntry = (records: Records): Headers => {
  const [entry, ...more] = entriesOf(records)
  assert.lengthOf(more, 0)
  const config = Object.entries(entry?.config ?? {}).map(([name, value]) => [configured[name], String(value)])
  return { ...aig(entry?.headers ?? {}), ...Object.fromEntries(config) }
}

const options: Readonly<Record<string, RequestOptions.RequestOptions>> = {
  nothing: {},
  "a cache key": { cacheKey: "cheese" },
  "a time to live": { cacheKey: "cheese", cacheTtl: "1 hour" },
  "no cache": { skipCache: true },
  "a cache that is not skipped": { skipCache: false },
  metadata: { metadata: { team: "search", size: 3, paid: false, empty: "", name: "Grüße 灵感 🎈" } },
  "no log": { collectLog: false },
  "a log": { collectLog: true },
  "a log without texts": { collectLogPayload: false },
  "an event id": { eventId: "e-1" },
  "a time limit": { requestTimeout: "1500 millis" },
  retries: { retries: { maxAttempts: 3, delay: "2 seconds", backoff: "linear" } },
  "retries without a wait": { retries: { maxAttempts: 2, delay: "0 millis" } },
  prices: { customCost: { perTokenIn: 0.000_001, perTokenOut: 0, perCacheReadToken: 0.5 } },
  "a stored key": { byokAlias: "second" },
  "no credits": { noWholesale: true },
  "no retention": { zdr: true },
  "a trace": { otelTraceId: "0123456789abcdef0123456789abcdef", otelParentSpanId: "0123456789abcdef" }
}

const asked = Effect.asVoid(openai.chat("hi"))

describe("an option of a call", () => {
  for (const [name, option] of Object.entries(options)) {
    it.effect(`says the same on both transports: ${name}`, () =>
      Effect.gen(function* () {
        const model = OpenAi.model("gpt-4.1-mini", { options: option })
        const { https, binding } = yield* onBoth({}, Effect.asVoid(model.chat("hi")))
        if (name !== "nothing" && option.skipCache !== false) assert.isNotEmpty(ofRequest(https))
        assert.deepStrictEqual(ofEntry(binding), ofRequest(https))
        assert.deepStrictEqual(ofRequest(binding), {})
      })
    )
  }

  it.effect("wins over those of the region and of the gateway, and metadata is joined", () =>
    Effect.gen(function* () {
      const model = OpenAi.model("gpt-4.1-mini", { options: { eventId: "call", metadata: { call: 1 } } })
      const { https, binding } = yield* onBoth(
        {},
        Effect.asVoid(model.chat("hi")).pipe(
          AiGateway.withOptions({ eventId: "region", collectLog: false, metadata: { region: 1, call: 2 } })
        ),
        { collectLog: true, skipCache: true, metadata: { gateway: 1 } }
      )
      assert.deepStrictEqual(ofEntry(binding), ofRequest(https))
      const { "cf-aig-metadata": metadata, ...others } = ofEntry(binding)
      assert.deepStrictEqual(JSON.parse(metadata ?? ""), { gateway: 1, region: 1, call: 1 })
      assert.deepStrictEqual(others, {
        "cf-aig-event-id": "call",
        "cf-aig-collect-log": "false",
        "cf-aig-skip-cache": "true"
      })
    })
  )

  it.effect("that is wrong fails before anything is sent", () =>
    throughBinding(
      {},
      Effect.gen(function* () {
        for (const wrong of [
          { cacheKey: "cheese", cacheTtl: "0 millis" },
          { metadata: { big: 1n } },
          { retries: { maxAttempts: 6 } }
        ]) {
          // Only a caller without types can set these.
          const error = yield* asked.pipe(
            AiGateway.withOptions(wrong as RequestOptions.RequestOptions),
            Effect.flip
          )
          assert.strictEqual(error._tag, "InvalidRequest")
        }
        assert.lengthOf((yield* Gateway.records).requests, 0)
      })
    )
  )
})

describe("what the gateway does about an option", () => {
  const logged = Effect.map(Gateway.records, ({ logs }) =>
    logs.map(({ metadata, customCost, eventId, request, cached }) => ({
      metadata,
      customCost,
      eventId,
      hasRequest: request !== undefined,
      cached
    }))
  )

  it.effect("is the same on both: metadata, prices and ids are in the log", () =>
    Effect.gen(function* () {
      const defaults = {
        metadata: { team: "search", "name.first": "Ä" },
        customCost: { perTokenIn: 1, perTokenOut: 2 },
        eventId: "e-1"
      }
      const { result } = yield* onBoth({}, Effect.zipRight(asked, logged), defaults)
      assert.deepStrictEqual<unknown>(result, [
        {
          metadata: defaults.metadata,
          customCost: { per_token_in: 1, per_token_out: 2 },
          eventId: "e-1",
          hasRequest: true,
          cached: false
        }
      ])
    })
  )

  it.effect("is the same on both: what shall not be logged is not", () =>
    Effect.gen(function* () {
      const without = yield* onBoth({}, Effect.zipRight(asked, logged), {
        collectLogPayload: false,
        eventId: "e-1"
      })
      assert.deepStrictEqual(
        without.result.map(({ hasRequest }) => hasRequest),
        [false]
      )
      const none = yield* onBoth({}, Effect.zipRight(asked, logged), { collectLog: false })
      assert.lengthOf(none.result, 0)
    })
  )

  it.effect("is the same on both: the gateway repeats, and the client does not", () =>
    Effect.gen(function* () {
      const { result, binding } = yield* onBoth(
        { upstreams: { openai: script([status(503), status(503)], text("at last")) } },
        Effect.map(openai.chat("hi"), ({ text }) => text),
        { retries: { maxAttempts: 3, delay: "1 millis", backoff: "constant" } }
      )
      assert.strictEqual(result, "at last")
      assert.lengthOf(binding.requests, 1)
      assert.lengthOf(binding.upstreamRequests, 3)
    })
  )

  it.effect("is the same on both: a provider that is too slow is left", () =>
    Effect.gen(function* () {
      const slow = LocalGateway.delayed(text("too late"), "10 seconds")
      const { result } = yield* onBoth(
        { upstreams: { openai: always(slow), anthropic: always(text("never asked")) } },
        Effect.map(openai.chat("hi"), ({ text }) => text).pipe(
          Effect.flip,
          Effect.map(({ _tag }) => _tag)
        ),
        { requestTimeout: "50 millis", retries: { maxAttempts: 1 } }
      )
      assert.strictEqual(result, "ProviderFailure")
    })
  )
})

describe("the options of a list on the server", () => {
  it.effect("stand in each entry, as each leg has them, with those of the region", () =>
    throughBinding(
      {},
      Effect.gen(function* () {
        const list = ChatModel.universal([
          OpenAi.model("gpt-4.1-mini", { options: { cacheKey: "one", retries: { maxAttempts: 2 } } }),
          OpenAi.model("gpt-4.1", { options: { requestTimeout: "1 second" } })
        ])
        yield* list.chat("hi").pipe(AiGateway.withOptions({ metadata: { team: "search" } }))
        const records = yield* Gateway.records
        assert.deepStrictEqual(ofRequest(records), {})
        assert.deepStrictEqual(
          entriesOf(records).map(({ headers, config }) => [aig(headers), config]),
          [
            [{ "cf-aig-cache-key": "one", "cf-aig-metadata": '{"team":"search"}' }, { maxAttempts: 2 }],
            [{ "cf-aig-metadata": '{"team":"search"}' }, { requestTimeout: 1000 }]
          ]
        )
      })
    )
  )
})

describe("a trace", () => {
  it.effect("of the caller is told to the gateway, and to no provider", () =>
    Effect.gen(function* () {
      const traced = Effect.gen(function* () {
        yield* asked
        const { traceId } = yield* Effect.currentSpan
        const { upstreamRequests } = yield* Gateway.records
        for (const name of ["traceparent", "b3"]) assert.notProperty(upstreamRequests[0]?.headers, name)
        return traceId
      }).pipe(Effect.orDie, Effect.withSpan("the caller's own"))
      const traceId = yield* throughBinding({}, traced)
      const told = ofEntry(yield* Gateway.records)
      assert.strictEqual(told["cf-aig-otel-trace-id"], traceId)
      assert.match(told["cf-aig-otel-parent-span-id"] ?? "", /^[0-9a-f]{16}$/)
    })
  )
})
