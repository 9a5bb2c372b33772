import { assert, describe, it } from "@effect/vitest"
import * as LocalGateway from "../src/LocalGateway.js"

// What Cloudflare documents of its gateway, asked of the fetch-shaped handler by a client of the test's own.

const origin = "https://gateway.ai.cloudflare.com/v1/local-account/local-gateway"
const query = { model: "gpt-4o-mini", messages: [{ role: "user", content: "Good morning" }] }

interface Sent {
  readonly path?: string
  readonly headers?: Record<string, string>
  readonly body?: unknown
}

const request = ({ path = "/openai/chat/completions", headers = {}, body = query }: Sent): Request =>
  new Request(origin + path, {
    method: "POST",
    headers: { "content-type": "application/json", "cf-aig-authorization": "Bearer local-token", ...headers },
    body: JSON.stringify(body)
  })

const send = async (
  gateway: LocalGateway.LocalGateway,
  sent: Sent,
  options: LocalGateway.HandleOptions = {}
) => {
  const response = await gateway.handle(request(sent), options)
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    text,
    cache: response.headers.get("cf-aig-cache-status"),
    step: response.headers.get("cf-aig-step"),
    get json(): Record<string, unknown> {
      return JSON.parse(text)
    }
  }
}

/** The cache statuses of requests that are sent one after the other. */
const statuses = async (gateway: LocalGateway.LocalGateway, ...all: ReadonlyArray<Sent>) => {
  const seen: Array<string | null> = []
  for (const sent of all) seen.push((await send(gateway, sent)).cache)
  return seen
}

const key = { "cf-aig-cache-key": "greeting" }
const keyed = (headers: Record<string, string> = {}): Sent => ({ headers: { ...key, ...headers } })

/** Time that a test moves by hand. */
const handClock = () => {
  let now = 1_800_000_000_000
  let sleepers: Array<{ readonly at: number; readonly wake: () => void }> = []
  const settled = () => new Promise<void>((resolve) => setTimeout(resolve, 0))
  const timing: LocalGateway.Timing = {
    now: () => now,
    sleep: (millis, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        sleepers.push({ at: now + millis, wake: resolve })
        signal.addEventListener("abort", () => reject(signal.reason), { once: true })
      })
  }
  return {
    timing,
    advance: async (millis: number) => {
      const end = now + millis
      await settled()
      for (;;) {
        const [next] = sleepers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
        if (next === undefined) break
        sleepers = sleepers.filter((sleeper) => sleeper !== next)
        now = next.at
        next.wake()
        await settled()
      }
      now = end
    }
  }
}

const entry = (provider: string, extra: object = {}) => ({
  provider,
  endpoint: "chat/completions",
  headers: {},
  query,
  ...extra
})
const universal = (...body: ReadonlyArray<unknown>): Sent => ({ path: "", body })

const failing = LocalGateway.always(LocalGateway.status(500))

describe("LocalGateway: what is cached", () => {
  it("a lifetime without a key caches nothing", async () => {
    const ttl = { headers: { "cf-aig-cache-ttl": "3600" } }
    assert.deepStrictEqual(await statuses(LocalGateway.make(), ttl, ttl), ["MISS", "MISS"])
  })

  it("a key alone caches", async () => {
    assert.deepStrictEqual(await statuses(LocalGateway.make(), keyed(), keyed()), ["MISS", "HIT"])
  })

  it("an empty key is no key", async () => {
    const empty = { headers: { "cf-aig-cache-key": "" } }
    assert.deepStrictEqual(await statuses(LocalGateway.make(), empty, empty), ["MISS", "MISS"])
  })

  it("callers with different provider credentials never share an answer", async () => {
    const mine = keyed({ authorization: "Bearer sk-mine" })
    const yours = keyed({ authorization: "Bearer sk-yours" })
    assert.deepStrictEqual(await statuses(LocalGateway.make(), mine, yours, mine, yours), [
      "MISS",
      "MISS",
      "HIT",
      "HIT"
    ])
  })

  it("the credential counts in whichever header its provider takes it", async () => {
    const as = (name: string, value: string): Sent => ({
      path: "/anthropic/v1/messages",
      headers: { ...key, "anthropic-version": "2023-06-01", [name]: value },
      body: { model: "claude-haiku-4-5", max_tokens: 8, messages: query.messages }
    })
    assert.deepStrictEqual(
      await statuses(
        LocalGateway.make(),
        as("x-api-key", "sk-1"),
        as("x-api-key", "sk-2"),
        as("x-api-key", "sk-1")
      ),
      ["MISS", "MISS", "HIT"]
    )
  })

  it("callers on the gateway's stored key share answers", async () => {
    const gateway = LocalGateway.make({ storedKeys: { openai: "sk-stored" } })
    assert.deepStrictEqual(await statuses(gateway, keyed(), keyed({ "cf-aig-metadata": '{"user":2}' })), [
      "MISS",
      "HIT"
    ])
  })

  it("a wrong credential gets no answer from the cache", async () => {
    const gateway = LocalGateway.make({ keys: { openai: "sk-right" } })
    const right = keyed({ authorization: "Bearer sk-right" })
    await send(gateway, right)
    const wrong = await send(gateway, keyed({ authorization: "Bearer sk-wrong" }))
    assert.deepStrictEqual([wrong.status, wrong.cache], [401, "MISS"])
  })

  it("another body, or another provider, under the same key is another answer", async () => {
    const other = { ...keyed(), body: { ...query, temperature: 0 } }
    const groq = { ...keyed(), path: "/groq/chat/completions" }
    assert.deepStrictEqual(await statuses(LocalGateway.make(), keyed(), other, groq), [
      "MISS",
      "MISS",
      "MISS"
    ])
  })

  it("where a custom key replaces the default one, the key alone decides", async () => {
    const gateway = LocalGateway.make({ customCacheKey: "replaces" })
    const first = await send(gateway, keyed())
    const other = await send(gateway, { ...keyed(), body: { ...query, temperature: 0 } })
    assert.deepStrictEqual([other.cache, other.text], ["HIT", first.text])
  })

  it("a request that skips the cache neither reads nor fills it", async () => {
    const skip = keyed({ "cf-aig-skip-cache": "true" })
    assert.deepStrictEqual(await statuses(LocalGateway.make(), skip, keyed(), skip), ["MISS", "MISS", "MISS"])
  })

  it("a lifetime of 0 turns caching off for the request", async () => {
    const gateway = LocalGateway.make({ cache: { ttl: "1 hour" } })
    const off = { headers: { "cf-aig-cache-ttl": "0" } }
    assert.deepStrictEqual(await statuses(gateway, off, {}, off, {}), ["MISS", "MISS", "MISS", "HIT"])
  })

  it("the old header names still work", async () => {
    const gateway = LocalGateway.make()
    await send(gateway, keyed())
    assert.deepStrictEqual(await statuses(gateway, keyed({ "cf-skip-cache": "true" })), ["MISS"])
  })

  for (const [what, options, headers, seconds] of [
    ["5 minutes if nothing is said", {}, key, 300],
    ["as long as the request says", {}, { ...key, "cf-aig-cache-ttl": "120" }, 120],
    ["a minute at least", {}, { ...key, "cf-aig-cache-ttl": "5" }, 60],
    ["a month at most", {}, { ...key, "cf-aig-cache-ttl": "99999999" }, 30 * 24 * 3600],
    ["as long as the gateway is set to", { cache: { ttl: "10 minutes" } }, {}, 600],
    [
      "as long as the request says, over the gateway",
      { cache: { ttl: "10 minutes" } },
      { "cf-aig-cache-ttl": "90" },
      90
    ]
  ] as ReadonlyArray<[string, LocalGateway.Options, Record<string, string>, number]>)
    it(`an answer is kept ${what}`, async () => {
      const gateway = LocalGateway.make(options)
      let now = 0
      const timing: LocalGateway.Timing = { now: () => now, sleep: () => Promise.resolve() }
      const cache = async () => (await send(gateway, { headers }, { timing })).cache
      assert.strictEqual(await cache(), "MISS")
      now = seconds * 1000 - 1
      assert.strictEqual(await cache(), "HIT")
      now = seconds * 1000
      assert.strictEqual(await cache(), "MISS")
    })

  it("two equal requests at the same time both miss", async () => {
    const gateway = LocalGateway.make()
    const both = await Promise.all([send(gateway, keyed()), send(gateway, keyed())])
    assert.deepStrictEqual(
      both.map(({ cache }) => cache),
      ["MISS", "MISS"]
    )
  })

  it("a failure is not kept, nor a stream that broke", async () => {
    const broken = LocalGateway.dropAfter(LocalGateway.text("one two three"), 2)
    const gateway = LocalGateway.make({
      upstreams: { openai: LocalGateway.script([LocalGateway.status(500), broken]) }
    })
    const stream = { ...keyed(), body: { ...query, stream: true } }
    await send(gateway, stream)
    await send(gateway, stream).catch(() => undefined)
    assert.deepStrictEqual(await statuses(gateway, stream, stream), ["MISS", "HIT"])
  })

  it("sound is not kept", async () => {
    const speech = LocalGateway.raw({ headers: { "content-type": "audio/mpeg" }, body: "beep" })
    const gateway = LocalGateway.make({ upstreams: { openai: LocalGateway.always(speech) } })
    const say = { ...keyed(), path: "/openai/audio/speech" }
    assert.deepStrictEqual(await statuses(gateway, say, say), ["MISS", "MISS"])
  })

  it("streams are kept, unless the gateway is set not to", async () => {
    const stream = { ...keyed(), body: { ...query, stream: true } }
    assert.deepStrictEqual(await statuses(LocalGateway.make(), stream, stream), ["MISS", "HIT"])
    const never = LocalGateway.make({ cacheStreams: false })
    assert.deepStrictEqual(await statuses(never, stream, stream, keyed(), keyed()), [
      "MISS",
      "MISS",
      "MISS",
      "HIT"
    ])
  })

  it("an entry of a universal request opts in for itself", async () => {
    const gateway = LocalGateway.make()
    const walk = universal(entry("openai", { headers: key }))
    assert.deepStrictEqual(await statuses(gateway, walk, walk), ["MISS", "HIT"])
  })

  it("an answer from the cache says which entry it is of, and asks no provider", async () => {
    const gateway = LocalGateway.make({ upstreams: { openai: failing } })
    const walk = universal(entry("openai"), entry("groq", { headers: key }))
    await send(gateway, walk)
    const { cache, step } = await send(gateway, walk)
    assert.deepStrictEqual([cache, step], ["HIT", "1"])
    assert.deepStrictEqual(
      gateway.upstreamRequests().map(({ provider }) => provider),
      ["openai", "groq", "openai"]
    )
  })
})

describe("LocalGateway: its rate limit", () => {
  it("more than the limit is 429 with code 2003, without a retry-after", async () => {
    const gateway = LocalGateway.make({ rateLimit: { limit: 1, interval: "1 minute" } })
    await send(gateway, {})
    const limited = await send(gateway, {})
    assert.deepInclude(limited.json, { success: false, internalCode: 2003, name: "AiGatewayError" })
    assert.deepStrictEqual([limited.status, limited.headers.get("retry-after")], [429, null])
  })

  it("an answer from the cache is given at the limit, and does not count", async () => {
    const gateway = LocalGateway.make({ rateLimit: { limit: 2, interval: "1 minute" } })
    assert.deepStrictEqual(await statuses(gateway, keyed(), keyed(), keyed()), ["MISS", "HIT", "HIT"])
    assert.strictEqual((await send(gateway, {})).status, 200)
    assert.strictEqual((await send(gateway, {})).status, 429)
    assert.strictEqual((await send(gateway, keyed())).cache, "HIT")
  })

  it("a universal request counts once, and ends at the limit", async () => {
    const gateway = LocalGateway.make({
      rateLimit: { limit: 1, interval: "1 minute" },
      upstreams: { openai: failing }
    })
    const walk = universal(entry("openai"), entry("groq"))
    assert.strictEqual((await send(gateway, walk)).status, 200)
    assert.strictEqual((await send(gateway, walk)).status, 429)
    assert.strictEqual(gateway.upstreamRequests().length, 2)
  })

  for (const [technique, expected] of [
    ["sliding", [200, 429, 429, 200]],
    ["fixed", [200, 429, 200, 429]]
  ] as const)
    it(`a ${technique} window opens when it should`, async () => {
      const gateway = LocalGateway.make({ rateLimit: { limit: 1, interval: "10 seconds", technique } })
      const seen: Array<number> = []
      for (const now of [9_000, 9_999, 10_000, 19_000]) {
        const timing: LocalGateway.Timing = { now: () => now, sleep: () => Promise.resolve() }
        seen.push((await send(gateway, {}, { timing })).status)
      }
      assert.deepStrictEqual(seen, [...expected])
    })
})

describe("LocalGateway: its retries and timeouts", () => {
  it("each entry has retries of its own", async () => {
    const gateway = LocalGateway.make({ upstreams: { openai: failing, groq: failing } })
    await send(
      gateway,
      universal(
        entry("openai", { config: { maxAttempts: 2 } }),
        entry("groq", { config: { maxAttempts: 3 } }),
        entry("deepseek")
      )
    )
    assert.deepStrictEqual(
      gateway.upstreamRequests().map(({ provider }) => provider),
      ["openai", "openai", "groq", "groq", "groq", "deepseek"]
    )
  })

  it("more than five attempts are five", async () => {
    const gateway = LocalGateway.make({ upstreams: { openai: failing } })
    await send(gateway, { headers: { "cf-aig-max-attempts": "9" } })
    assert.strictEqual(gateway.upstreamRequests().length, 5)
  })

  for (const [backoff, pauses] of [
    ["constant", [1000, 1000, 1000]],
    ["linear", [1000, 2000, 3000]],
    ["exponential", [1000, 2000, 4000]]
  ] as const)
    it(`${backoff} pauses`, async () => {
      const gateway = LocalGateway.make({ upstreams: { openai: failing } })
      const slept: Array<number> = []
      const timing: LocalGateway.Timing = {
        now: () => 0,
        sleep: async (millis) => {
          slept.push(millis)
        }
      }
      const config = { maxAttempts: 4, retryDelay: 1000, backoff }
      await send(gateway, universal(entry("openai", { config })), { timing })
      assert.deepStrictEqual(slept, [...pauses])
    })

  it("the gateway's own retries hold for requests that say nothing of theirs", async () => {
    const gateway = LocalGateway.make({ retries: { maxAttempts: 3 }, upstreams: { openai: failing } })
    await send(gateway, {})
    assert.strictEqual(gateway.upstreamRequests().length, 3)
    await send(gateway, { headers: { "cf-aig-max-attempts": "1" } })
    assert.strictEqual(gateway.upstreamRequests().length, 4)
  })

  it("an entry that is too slow is left for the next one", async () => {
    const gateway = LocalGateway.make({ upstreams: { openai: LocalGateway.always(LocalGateway.hang) } })
    const clock = handClock()
    const walk = send(
      gateway,
      universal(entry("openai", { config: { requestTimeout: 3000 } }), entry("groq")),
      clock
    )
    await clock.advance(2999)
    assert.strictEqual(gateway.upstreamRequests().length, 1)
    await clock.advance(1)
    const { status, step } = await walk
    assert.deepStrictEqual([status, step], [200, "1"])
  })

  it("an entry's config beats the timeout in the headers", async () => {
    const slow = LocalGateway.always(LocalGateway.delayed(LocalGateway.text("late"), "2 seconds"))
    const gateway = LocalGateway.make({ upstreams: { openai: slow } })
    const clock = handClock()
    const walk = send(
      gateway,
      {
        ...universal(entry("openai", { config: { requestTimeout: 5000 } }), entry("groq")),
        headers: { "cf-aig-request-timeout": "1000" }
      },
      clock
    )
    await clock.advance(2000)
    assert.strictEqual((await walk).step, "0")
  })

  it("the last of several attempts is waited for without limit", async () => {
    const slow = LocalGateway.always(LocalGateway.delayed(LocalGateway.text("late"), "1 hour"))
    const gateway = LocalGateway.make({ upstreams: { openai: slow } })
    const clock = handClock()
    const answer = send(
      gateway,
      { headers: { "cf-aig-request-timeout": "1000", "cf-aig-max-attempts": "2" } },
      clock
    )
    await clock.advance(1000)
    assert.strictEqual(gateway.upstreamRequests().length, 2)
    await clock.advance(3_600_000)
    assert.strictEqual((await answer).status, 200)
  })

  it("a stream that has begun is not timed", async () => {
    const paced = LocalGateway.text("one two", { delay: "1 minute" })
    const gateway = LocalGateway.make({ upstreams: { openai: LocalGateway.always(paced) } })
    const clock = handClock()
    const answer = send(
      gateway,
      { headers: { "cf-aig-request-timeout": "1000" }, body: { ...query, stream: true } },
      clock
    )
    await clock.advance(120_000)
    assert.include((await answer).text, "[DONE]")
  })
})

describe("LocalGateway: metadata", () => {
  const logged = async (metadata: string) => {
    const gateway = LocalGateway.make()
    const { status } = await send(gateway, { headers: { "cf-aig-metadata": metadata } })
    return [status, gateway.logs()[0]?.metadata]
  }

  it("a sixth entry is dropped without a word", async () => {
    assert.deepStrictEqual(await logged('{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}'), [
      200,
      { a: 1, b: 2, c: 3, d: 4, e: 5 }
    ])
  })

  it("a nested value is dropped without a word, and so are null and lists", async () => {
    assert.deepStrictEqual(
      await logged('{"user":{"id":1},"none":null,"tags":["a"],"team":"search","ok":true}'),
      [200, { team: "search", ok: true }]
    )
  })

  it("names that begin with cf. are Cloudflare's", async () => {
    assert.deepStrictEqual(await logged('{"cf.user_id":"x","team":"search"}'), [200, { team: "search" }])
  })

  it("what is no JSON object is no metadata", async () => {
    assert.deepStrictEqual(await logged("team=search"), [200, {}])
  })

  it("an entry may give it as an object", async () => {
    const gateway = LocalGateway.make()
    await send(gateway, universal(entry("openai", { headers: { "cf-aig-metadata": { team: "search" } } })))
    assert.deepStrictEqual(gateway.logs()[0]?.metadata, { team: "search" })
  })
})

describe("LocalGateway: logs", () => {
  it("a gateway that does not log has no log ids, unless a request asks for one", async () => {
    const gateway = LocalGateway.make({ collectLogs: false })
    assert.isNull((await send(gateway, {})).headers.get("cf-aig-log-id"))
    const { headers } = await send(gateway, { headers: { "cf-aig-collect-log": "true" } })
    assert.deepStrictEqual(
      gateway.logs().map(({ id }) => id),
      [headers.get("cf-aig-log-id") ?? ""]
    )
  })

  it("without the payload the entry stays, and what was said is gone", async () => {
    const gateway = LocalGateway.make()
    await send(gateway, { headers: { "cf-aig-collect-log-payload": "false" } })
    const [log] = gateway.logs()
    assert.deepStrictEqual([log?.statusCode, log?.request, log?.response], [200, undefined, undefined])
  })

  it("an answer from the cache is logged as one", async () => {
    const gateway = LocalGateway.make()
    await statuses(gateway, keyed(), keyed())
    assert.deepStrictEqual(
      gateway.logs().map(({ cached }) => cached),
      [false, true]
    )
  })

  it("every entry that was tried is logged, with its step", async () => {
    const gateway = LocalGateway.make({ upstreams: { openai: failing } })
    const { headers } = await send(gateway, universal(entry("openai"), entry("groq")))
    const logs = gateway.logs()
    assert.deepStrictEqual(
      logs.map(({ provider, step, success }) => [provider, step, success]),
      [
        ["openai", 0, false],
        ["groq", 1, true]
      ]
    )
    assert.strictEqual(headers.get("cf-aig-log-id"), logs[1]?.id)
  })
})

describe("LocalGateway: the endpoints", () => {
  it("an entry may be the gateway's own chat endpoint", async () => {
    const gateway = LocalGateway.make({ upstreams: { openai: failing } })
    const compat = entry("compat", { query: { ...query, model: "anthropic/claude-haiku-4-5" } })
    const { step, json } = await send(gateway, universal(entry("openai"), compat))
    assert.strictEqual(step, "1")
    assert.strictEqual(json.object, "chat.completion")
  })

  it("a gateway that never pays refuses a request without a key", async () => {
    const gateway = LocalGateway.make({ byokOnly: true, storedKeys: { groq: "gsk" } })
    assert.strictEqual((await send(gateway, { headers: { "cf-aig-no-wholesale": "false" } })).status, 400)
    assert.strictEqual((await send(gateway, { path: "/groq/chat/completions" })).status, 200)
    assert.strictEqual((await send(gateway, { headers: { authorization: "Bearer sk" } })).status, 200)
  })

  it("a path that is no encoding of anything is no gateway", async () => {
    const broken = new Request("https://gateway.ai.cloudflare.com/v1/%E0%A4/x/openai/chat/completions")
    const response = await LocalGateway.make().handle(broken)
    assert.strictEqual(response.status, 400)
    assert.include(await response.text(), "2001")
  })

  describe("when all entries fail", () => {
    const upstreams = { openai: failing, groq: LocalGateway.always(LocalGateway.status(503)) }
    const walk = universal(entry("openai"), entry("groq"))
    for (const [options, expected] of [
      [{}, [503, null]],
      [{ whenAllFail: "first" }, [500, null]],
      [{ whenAllFail: "gateway" }, [400, null]],
      [{ stepWhenAllFail: true }, [503, "1"]],
      [{ whenAllFail: "first", stepWhenAllFail: true }, [500, "0"]],
      [{ whenAllFail: "gateway", stepWhenAllFail: true }, [400, null]]
    ] as ReadonlyArray<[LocalGateway.Options, [number, string | null]]>)
      it(`${JSON.stringify(options)} answers ${expected.join(" with step ")}`, async () => {
        const { status, step } = await send(LocalGateway.make({ ...options, upstreams }), walk)
        assert.deepStrictEqual([status, step], expected)
      })
  })
})

describe("LocalGateway: scripts of what goes wrong", () => {
  const answer = (reply: LocalGateway.Reply, sent: Sent = {}) =>
    send(LocalGateway.make({ upstreams: { openai: LocalGateway.always(reply) } }), sent)
  const stream: Sent = { body: { ...query, stream: true } }

  it("guardrails turn a stream into one JSON", async () => {
    const { headers, json } = await answer(LocalGateway.unstreamed(LocalGateway.text("Hello")), stream)
    assert.deepStrictEqual(
      [headers.get("content-type"), json.object],
      ["application/json", "chat.completion"]
    )
  })

  for (const [name, reply, status, code] of [
    ["guardrails on the prompt", LocalGateway.guardrail("prompt"), 424, 2016],
    ["guardrails on the response", LocalGateway.guardrail("response"), 424, 2017],
    ["guardrails with another status", LocalGateway.guardrail("response", { status: 422 }), 422, 2017],
    ["data loss prevention on the prompt", LocalGateway.dlp("prompt"), 400, 2029],
    ["data loss prevention on the response", LocalGateway.dlp("response"), 400, 2030],
    ["data loss prevention with another status", LocalGateway.dlp("prompt", { status: 403 }), 403, 2029]
  ] as const)
    it(`${name} block with one JSON, a stream too`, async () => {
      const blocked = await answer(reply, stream)
      assert.strictEqual(blocked.status, status)
      assert.deepInclude(blocked.json, { internalCode: code, name: "AiGatewayError" })
      assert.strictEqual(blocked.headers.get("content-type"), "application/json")
    })

  it("a stream whose response is scanned comes at once", async () => {
    const reply = LocalGateway.dlpFlagged(LocalGateway.text("one two three"), "response")
    const gateway = LocalGateway.make({ upstreams: { openai: LocalGateway.always(reply) } })
    const response = await gateway.handle(request(stream))
    assert.include(response.headers.get("cf-aig-dlp") ?? "", "FLAG")
    const reader = response.body?.getReader()
    const first = new TextDecoder().decode((await reader?.read())?.value)
    assert.include(first, "one")
    assert.include(first, "[DONE]")
    assert.isTrue((await reader?.read())?.done)
  })

  it("the edge answers in HTML, without the gateway's headers", async () => {
    const { status, headers, text } = await answer(LocalGateway.edgeHtml(524))
    assert.strictEqual(status, 524)
    assert.include(headers.get("content-type") ?? "", "text/html")
    assert.include(text, "<!DOCTYPE html>")
    assert.deepStrictEqual(
      Array.from(headers.keys()).filter((name) => name.startsWith("cf-aig-")),
      []
    )
  })

  it("an edge page ends a universal request", async () => {
    const gateway = LocalGateway.make({
      upstreams: { openai: LocalGateway.always(LocalGateway.edgeHtml(502)) }
    })
    assert.strictEqual((await send(gateway, universal(entry("openai"), entry("groq")))).status, 502)
  })

  it("a connection drops after as many events as asked", async () => {
    const reply = LocalGateway.dropAfter(LocalGateway.text("one two three"), 2)
    const gateway = LocalGateway.make({ upstreams: { openai: LocalGateway.always(reply) } })
    const reader = (await gateway.handle(request(stream))).body?.getReader()
    let seen = 0
    const end = await (async () => {
      for (;;) {
        const next = await reader?.read()
        if (next?.done !== false) return "ended"
        seen++
      }
    })().catch(() => "broke")
    assert.deepStrictEqual([seen, end], [2, "broke"])
  })
})

describe("LocalGateway: errors inside a 200", () => {
  const bytesOf = async (form: LocalGateway.InBandForm, options: LocalGateway.InBandOptions = {}) => {
    const reply = LocalGateway.inBandError(form, { message: "Too busy", ...options })
    const gateway = LocalGateway.make({ upstreams: { openai: LocalGateway.always(reply) } })
    const response = await gateway.handle(request({ body: { ...query, stream: true } }))
    assert.strictEqual(response.status, 200)
    return {
      type: response.headers.get("content-type") ?? "",
      bytes: new Uint8Array(await response.arrayBuffer())
    }
  }
  const textOf = async (form: LocalGateway.InBandForm, options: LocalGateway.InBandOptions = {}) =>
    new TextDecoder().decode((await bytesOf(form, options)).bytes)

  for (const [form, pattern] of [
    ["openai", /^data: \{"error":\{"message":"Too busy"/],
    ["groq", /^event: error\ndata: \{"error":\{"message":"Too busy"/],
    [
      "openrouter",
      /"finish_reason":"error".*"error":\{"code":502,"message":"Too busy"\}\}\n\ndata: \[DONE\]/
    ],
    ["finish-reason", /^data: (?!.*"error":).*"finish_reason":"error".*\n\ndata: \[DONE\]\n\n$/],
    ["anthropic", /^event: error\ndata: \{"type":"error","error":\{"type":"overloaded_error"/],
    ["google", /^data: \{"error":\{"code":503,"message":"Too busy","status":"UNAVAILABLE"\}\}\r\n\r\n$/],
    ["google-tail", /^\{\n {2}"error": \{/],
    ["workers-ai", /^data: \{"response":"","finish_reason":"error"\}\n\ndata: \[DONE\]\n\n$/],
    ["responses", /^event: error\ndata: \{"type":"error",.*"message":"Too busy","param":null\}\n\n$/],
    ["responses-nested", /^event: error\n.*"error":\{.*\n\nevent: response\.failed\n/],
    ["responses-failed", /^event: response\.failed\ndata: .*"status":"failed"/],
    ["cohere", /^event: message-end\ndata: .*"finish_reason":"ERROR".*\n\ndata: \[DONE\]\n\n$/]
  ] as const)
    it(`${form}: in the stream`, async () => {
      assert.match((await bytesOf(form)).type, /^text\/event-stream/)
      assert.match(await textOf(form), pattern)
      const later = await textOf(form, { text: "Let me" })
      assert.include(later, "Let me")
      assert.isTrue(later.endsWith(await textOf(form)))
    })

  for (const [form, expected] of [
    ["azure-prompt", { error: { code: "content_filter", status: 400 } }],
    ["azure-response", { choices: [{ index: 0, finish_reason: "content_filter" }] }],
    ["xai", { code: "resource-exhausted", error: "Too busy" }],
    ["cloudflare", { success: false, errors: [{ code: 3040, message: "Too busy" }] }]
  ] as const)
    it(`${form}: one JSON in place of the stream`, async () => {
      assert.strictEqual((await bytesOf(form)).type, "application/json")
      assert.containSubset(JSON.parse(await textOf(form)), expected)
    })

  it("bedrock: an exception frame, whole by its own lengths and sums", async () => {
    const { type, bytes } = await bytesOf("bedrock", { text: "Let me" })
    assert.strictEqual(type, "application/vnd.amazon.eventstream")
    const { crc32 } = await import("node:zlib").then((zlib) => ({
      crc32: "crc32" in zlib && typeof zlib.crc32 === "function" ? zlib.crc32 : undefined
    }))
    const view = new DataView(bytes.buffer)
    const frames: Array<string> = []
    let at = 0
    while (at < bytes.length) {
      const length = view.getUint32(at)
      const headers = view.getUint32(at + 4)
      if (crc32 !== undefined) {
        assert.strictEqual(view.getUint32(at + 8), crc32(bytes.subarray(at, at + 8)))
        assert.strictEqual(view.getUint32(at + length - 4), crc32(bytes.subarray(at, at + length - 4)))
      }
      frames.push(new TextDecoder().decode(bytes.subarray(at + 12, at + length - 4)))
      assert.include(frames.at(-1)?.slice(0, headers) ?? "", ":message-type")
      at += length
    }
    assert.strictEqual(at, bytes.length)
    assert.strictEqual(frames.length, 3)
    assert.match(
      frames[2] ?? "",
      /:exception-type.*modelStreamErrorException.*exception\{"message":"Too busy"/s
    )
  })
})
