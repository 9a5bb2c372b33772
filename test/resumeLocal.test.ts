import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, FastCheck as fc, Schedule } from "effect"
import { LocalGateway } from "effect-ai-gateway"
import { ResumeFailed } from "../src/internal/errors.js"
import type { ResumeOptions } from "../src/internal/resume/policy.js"
import { resumable } from "../src/internal/resume/resumable.js"
import * as Binding from "../src/internal/transport/binding.js"
import type { AwaitedRequest } from "../src/internal/transport/transport.js"
import * as LocalGatewayServer from "../src/LocalGatewayServer.js"
import { readAll } from "./resumeServer.js"

// Against LocalGateway, which shares no code with the client: at hand, and over real sockets.

const { always, connections, crlf, cutAfter, rechunk, refusesWith, text, unreachable } = LocalGateway
const words = "one two three four five six seven"
const asked = { provider: "openai", model: "openai/gpt-5-mini" }
const atOnce = Schedule.recurs(5)

type Fetch = (request: Request) => Promise<Response>

const transportTo = (fetch: Fetch) =>
  Binding.make<AwaitedRequest & { readonly request: (signal: AbortSignal) => Request }>({
    kind: "run",
    name: "env.AI.fetch",
    call: ({ request }, signal) => fetch(request(signal))
  })

const open = (fetch: Fetch, base: string, resume: ResumeOptions = { schedule: atOnce }) =>
  Effect.gen(function* () {
    const transport = transportTo(fetch)
    const first = yield* transport.send({
      arrival: undefined,
      secrets: [],
      request: (signal) =>
        new Request(`${base}/ai-gateway/run?version=3`, {
          method: "POST",
          signal,
          headers: { "content-type": "application/json", "cf-consn-model-id": asked.model },
          body: JSON.stringify({
            inputs: { stream: true, messages: [{ role: "user", content: "Count" }] },
            options: { gateway: { id: "local-gateway" } }
          })
        })
    })
    const runId = first.headers["cf-aig-run-id"] ?? ""
    const restFrom = (from: number) =>
      `${base}/ai-gateway/gateways/local-gateway/run/${runId}/resume?from=${from}`
    const response = yield* resumable({
      first,
      runId,
      from: 0,
      reconnect: (from, arrival) =>
        transport.send({
          arrival,
          secrets: [],
          request: (signal) => new Request(restFrom(from), { signal })
        }),
      resume,
      asked
    })
    // The plans for connections that were not made yet are in its way.
    const whole = Effect.promise(async () => {
      for (let n = 0; n < 50; n++) {
        try {
          const text = await fetch(new Request(restFrom(0))).then((answer) => answer.text())
          if (/\[DONE\]\s+$/.test(text)) return text
        } catch {}
      }
      throw new Error("the run cannot be read")
    })
    return { response, whole }
  })

const asksOf = (gateway: LocalGateway.LocalGateway) =>
  gateway
    .requests()
    .map(({ url }) => /resume\?from=(\d+)/.exec(url)?.[1])
    .filter((from) => from !== undefined)
    .map(Number)

const replying = (reply: LocalGateway.Reply) => LocalGateway.make({ upstreams: { openai: always(reply) } })

const host = "https://workers-binding.ai"
const read = (reply: LocalGateway.Reply, resume?: ResumeOptions) =>
  Effect.gen(function* () {
    const gateway = replying(reply)
    const { response, whole } = yield* open((request) => gateway.handle(request), host, resume)
    const got = yield* readAll(response.body)
    return { gateway, asks: asksOf(gateway), whole, ...got }
  })

const cut = (...plans: ReadonlyArray<LocalGateway.RunConnection>) => connections(text(words), plans)

describe("against LocalGateway", () => {
  it.live("no drop, no request", () =>
    Effect.gen(function* () {
      const got = yield* read(text(words))
      assert.deepStrictEqual([got.asks, got.broken, got.text], [[], undefined, yield* got.whole])
    })
  )

  it.live(
    "the same bytes through a drop after three events, one within the fourth, a 503, nobody, and HTML",
    () =>
      Effect.gen(function* () {
        const got = yield* read(
          cut(
            cutAfter(3),
            cutAfter(0, { bytes: 10 }),
            refusesWith(503),
            unreachable,
            refusesWith(502, { html: true }),
            cutAfter(2, { bytes: 1 })
          )
        )
        assert.isUndefined(got.broken)
        assert.deepStrictEqual(got.asks, [3, 3, 3, 3, 3, 5])
        assert.strictEqual(got.text, yield* got.whole)
      })
  )

  it.live("404 is expired, 500 with code 2002 is refused, and a provider that broke is exhausted", () =>
    Effect.gen(function* () {
      for (const [plan, reason] of [
        [refusesWith(404), "expired"],
        [refusesWith(500), "refused"],
        [refusesWith(403), "refused"]
      ] as const) {
        const { broken, asks } = yield* read(cut(cutAfter(2), plan))
        assert.strictEqual(broken instanceof ResumeFailed && broken.reason, reason)
        assert.deepStrictEqual(asks, [2])
      }
      const { broken, asks } = yield* read(LocalGateway.dropAfter(text(words), 3))
      assert.strictEqual(broken instanceof ResumeFailed && broken.reason, "exhausted")
      assert.deepStrictEqual(asks, [3, 3, 3, 3, 3])
    })
  )

  const plan = fc.oneof(
    fc
      .record({ events: fc.integer({ min: 0, max: 4 }), bytes: fc.integer({ min: 0, max: 30 }) })
      .map(({ events, bytes }) => cutAfter(events, { bytes })),
    fc.constantFrom(refusesWith(503), refusesWith(429), refusesWith(502, { html: true }), unreachable)
  )
  it(
    "whatever its connections do, in reads of any size, with LF or CRLF, the bytes are those of the run",
    () =>
      fc.assert(
        fc.asyncProperty(
          cutAfterFirst(plan),
          fc.boolean(),
          fc.integer({ min: 1, max: 100 }),
          (plans, isCrlf, size) =>
            Effect.runPromise(
              Effect.gen(function* () {
                const reply = rechunk(isCrlf ? crlf(text(words)) : text(words), size)
                const got = yield* read(connections(reply, plans), { schedule: Schedule.recurs(20) })
                assert.isUndefined(got.broken)
                assert.strictEqual(got.text, yield* got.whole)
                assert.deepStrictEqual(
                  got.asks.slice(0, -1),
                  [...got.asks.slice(0, -1)].sort((a, b) => a - b)
                )
              })
            )
        ),
        { numRuns: 150 }
      ),
    60_000
  )
})

/** The run's own connection is cut, and not refused: then there would be no run. */
const cutAfterFirst = (plan: fc.Arbitrary<LocalGateway.RunConnection>) =>
  fc
    .tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 30 }), fc.array(plan, { maxLength: 8 }))
    .map(([events, bytes, plans]) => [cutAfter(events, { bytes }), ...plans])

describe("over real sockets", () => {
  const served = <A>(
    reply: LocalGateway.Reply,
    use: (gateway: LocalGateway.LocalGateway, url: string) => Effect.Effect<A, unknown>
  ) =>
    Effect.scoped(
      Effect.gen(function* () {
        const gateway = replying(reply)
        const server = yield* LocalGatewayServer.start(gateway)
        return yield* use(gateway, server.url)
      })
    )

  it.live("a stream whose sockets break four times is whole", () =>
    served(
      cut(cutAfter(2), cutAfter(1, { bytes: 9 }), cutAfter(0, { bytes: 3 }), cutAfter(2)),
      (gateway, url) =>
        Effect.gen(function* () {
          const { response, whole } = yield* open(fetch, url)
          const got = yield* readAll(response.body)
          assert.isUndefined(got.broken)
          assert.deepStrictEqual(asksOf(gateway), [2, 3, 3, 5])
          assert.strictEqual(got.text, yield* whole)
        })
    )
  )

  it.live("an interruption while it is silent closes the socket, and nothing is resumed", () =>
    served(cut(cutAfter(2), LocalGateway.silentAfter(1)), (gateway, url) =>
      Effect.gen(function* () {
        const { response } = yield* open(fetch, url)
        const fiber = yield* Effect.fork(Effect.onInterrupt(readAll(response.body), () => response.close))
        while (asksOf(gateway).length === 0) yield* Effect.sleep("5 millis")
        yield* Effect.sleep("50 millis")
        yield* Fiber.interrupt(fiber)
        yield* Effect.sleep("300 millis")
        assert.deepStrictEqual(asksOf(gateway), [2])
        assert.strictEqual(gateway.inFlight(), 0)
      })
    )
  )
})
