import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as LocalGateway from "../src/LocalGateway.js"

// An `env.AI` in process: what the binding's own code does to a call, and to its answer.

const llama = "@cf/meta/llama-3.1-8b-instruct"
const question = { role: "user", content: "Hello" }
const through = { gateway: { id: "local-gateway" } }

const entry = (headers: object = {}): LocalGateway.AiGatewayEntry => ({
  provider: "openai",
  endpoint: "chat/completions",
  headers,
  query: { model: "gpt-5-mini", messages: [question] }
})

const replying = (provider: string, ...replies: ReadonlyArray<LocalGateway.Reply>) =>
  LocalGateway.aiBinding(LocalGateway.make({ upstreams: { [provider]: LocalGateway.script(replies) } }))

const caught = async (promise: Promise<unknown>): Promise<Error> => {
  try {
    await promise
  } catch (error) {
    if (error instanceof Error) return error
  }
  return assert.fail("nothing was thrown")
}

const asked = ({ local }: LocalGateway.LocalAi) => local.requests().at(-1)

describe("LocalGateway.aiBinding: run", () => {
  it("sends inputs and options in the body, and the model in a header", async () => {
    const ai = LocalGateway.aiBinding()
    await ai.run(
      llama,
      { messages: [question] },
      {
        ...through,
        tags: ["a"],
        prefix: "p",
        extraHeaders: { "x-mine": "1", "content-type": "text/plain" },
        sessionOptions: { extraHeaders: { "x-mine": "0", "x-session": "s" } },
        signal: new AbortController().signal
      }
    )
    const { url, body, headers } = asked(ai) ?? {}
    assert.strictEqual(url, "https://workers-binding.ai/ai-gateway/run?version=3")
    assert.deepStrictEqual(body, {
      inputs: { messages: [question] },
      options: { gateway: { id: "local-gateway" }, tags: ["a"] }
    })
    assert.deepInclude(headers, {
      "x-mine": "1",
      "x-session": "s",
      "content-type": "application/json",
      "cf-consn-sdk-version": "2.0.0",
      "cf-consn-model-id": `p:${llama}`
    })
  })

  it("without the id of a gateway it is another path", async () => {
    const ai = LocalGateway.aiBinding()
    await ai.run(llama, { prompt: "Hello" }, { gateway: { id: "" } })
    assert.strictEqual(asked(ai)?.url, "https://workers-binding.ai/run?version=3")
  })

  it("JSON is parsed for exactly its content type, and anything else is a stream", async () => {
    const parsed = await LocalGateway.aiBinding().run(llama, { prompt: "Hello" }, through)
    assert.deepInclude(parsed, { response: "You said: Hello" })
    const reply = LocalGateway.contentType(LocalGateway.text("Hi"), "application/json; charset=utf-8")
    const stream = await replying("workers-ai", reply).run(llama, { prompt: "Hello" }, through)
    assert.instanceOf(stream, ReadableStream)
    const events = await LocalGateway.aiBinding().run(llama, { prompt: "Hello", stream: true }, through)
    assert.instanceOf(events, ReadableStream)
  })

  it("returnRawResponse gives the response, whatever its status", async () => {
    const ai = replying("workers-ai", LocalGateway.status(503))
    const response = await ai.run(llama, { prompt: "x" }, { ...through, returnRawResponse: true })
    assert.instanceOf(response, Response)
    assert.strictEqual(response instanceof Response ? response.status : 0, 503)
  })

  it("an error of Workers AI has the name, the code and the words of the body", async () => {
    const ai = replying("workers-ai", LocalGateway.status(429, { message: "AiError: busy" }))
    const error = await caught(ai.run(llama, { prompt: "x" }, through))
    assert.deepStrictEqual([error.name, error.message], ["AiError", "3040: busy"])
    assert.strictEqual(ai.lastRequestHttpStatusCode, 429)
    assert.strictEqual(ai.lastRequestInternalStatusCode, 3040)
  })

  it("an error of the gateway has its name", async () => {
    const ai = LocalGateway.aiBinding()
    const error = await caught(ai.run("openai/gpt-5-mini", {}, { gateway: { id: "other" } }))
    assert.strictEqual(error.name, "AiGatewayError")
    assert.match(error.message, /^2001: /)
  })

  it("an error in Cloudflare's envelope is its first one", async () => {
    const body = { errors: [{ code: 10000, message: "Authentication error" }] }
    const ai = replying("workers-ai", LocalGateway.status(401, { body }))
    const error = await caught(ai.run(llama, { prompt: "x" }, through))
    assert.deepStrictEqual(
      [error.name, error.message],
      ["InferenceUpstreamError", "10000: Authentication error"]
    )
  })

  it("any other error is its text", async () => {
    const page = replying("workers-ai", LocalGateway.edgeHtml(502))
    const html = await caught(page.run(llama, { prompt: "x" }, through))
    assert.strictEqual(html.name, "InferenceUpstreamError")
    assert.match(html.message, /^<!DOCTYPE html>/)
    const vendor = replying("openai", LocalGateway.status(500))
    const error = await caught(vendor.run("openai/gpt-5-mini", { messages: [question] }, through))
    assert.property(JSON.parse(error.message), "error")
  })

  it("remembers the ids of the last run", async () => {
    const ai = LocalGateway.aiBinding()
    await ai.run(llama, { prompt: "x" }, through)
    assert.isString(ai.lastRequestId)
    assert.strictEqual(ai.aiGatewayLogId, ai.local.logs()[0]?.id)
    await ai.run("openai/gpt-5-mini", { messages: [question], stream: true }, through)
    assert.isNull(ai.aiGatewayLogId)
  })

  it("has no run without itself", async () => {
    const { run } = LocalGateway.aiBinding()
    assert.instanceOf(await caught(run(llama, { prompt: "x" })), TypeError)
  })

  it("what is no JSON is not sent", async () => {
    const ai = LocalGateway.aiBinding()
    assert.instanceOf(await caught(ai.run(llama, { prompt: "x", n: 1n })), TypeError)
    assert.lengthOf(ai.local.requests(), 0)
  })

  it("inputs that are streams do not pass a gateway, and need a content type", async () => {
    const ai = LocalGateway.aiBinding()
    const audio = { body: new ReadableStream(), contentType: "audio/mpeg" }
    for (const [inputs, options] of [
      [{ audio }, through],
      [{ audio: { body: new ReadableStream() } }, {}],
      [{ audio, more: audio }, {}]
    ] as const)
      assert.strictEqual(
        (await caught(ai.run("@cf/openai/whisper", inputs, options))).name,
        "AiInternalError"
      )
  })

  it("a signal ends it with its reason", async () => {
    const ai = replying("workers-ai", LocalGateway.hang)
    const controller = new AbortController()
    const run = ai.run(llama, { prompt: "x" }, { ...through, signal: controller.signal })
    setTimeout(() => controller.abort(new Error("enough")), 5)
    assert.strictEqual((await caught(run)).message, "enough")
    assert.isTrue(asked(ai)?.aborted)
  })
})

describe("LocalGateway.aiBinding: a gateway", () => {
  const options = (ai: LocalGateway.LocalAi) =>
    Object.fromEntries(
      Object.entries(asked(ai)?.headers ?? {}).filter(([name]) => name.startsWith("cf-aig-"))
    )

  it("sends a list, also of one entry", async () => {
    const ai = LocalGateway.aiBinding()
    const response = await ai.gateway("local-gateway").run(entry())
    assert.strictEqual(response.status, 200)
    assert.strictEqual(response.headers.get("cf-aig-step"), "0")
    assert.isArray(asked(ai)?.body)
    assert.strictEqual(asked(ai)?.path, "/ai-gateway/universal/run/local-gateway")
  })

  it("its options are headers, over which the extra ones win", async () => {
    const ai = LocalGateway.aiBinding()
    await ai.gateway("local-gateway").run(entry(), {
      gateway: {
        skipCache: false,
        cacheTtl: 60,
        cacheKey: "k",
        metadata: { a: 1 },
        collectLog: true,
        eventId: "e",
        requestTimeoutMs: 1000,
        retries: { maxAttempts: 2, retryDelayMs: 3, backoff: "linear" }
      },
      extraHeaders: { "cf-aig-event-id": "extra", "cf-aig-zdr": "true" }
    })
    assert.deepStrictEqual(options(ai), {
      "cf-aig-skip-cache": "false",
      "cf-aig-cache-ttl": "60",
      "cf-aig-cache-key": "k",
      "cf-aig-metadata": '{"a":1}',
      "cf-aig-collect-log": "true",
      "cf-aig-event-id": "extra",
      "cf-aig-request-timeout": "1000",
      "cf-aig-max-attempts": "2",
      "cf-aig-retry-delay": "3",
      "cf-aig-backoff": "linear",
      "cf-aig-zdr": "true"
    })
  })

  it("a lifetime of 0 and an empty key are dropped", async () => {
    const ai = LocalGateway.aiBinding()
    await ai.gateway("local-gateway").run(entry(), { gateway: { cacheTtl: 0, cacheKey: "" } })
    assert.deepStrictEqual(options(ai), {})
  })

  it("headers of an entry become texts in the caller's own object", async () => {
    const ai = LocalGateway.aiBinding()
    const headers = { "cf-aig-cache-ttl": 60, "cf-aig-skip-cache": true, "cf-aig-metadata": { a: 1 } }
    await ai.gateway("local-gateway").run([entry(headers)])
    assert.deepStrictEqual<object>(headers, {
      "cf-aig-cache-ttl": "60",
      "cf-aig-skip-cache": "true",
      "cf-aig-metadata": '{"a":1}'
    })
    assert.deepStrictEqual(ai.local.logs()[0]?.metadata, { a: 1 })
  })

  it("entries without headers, and metadata with a bigint, throw at once", () => {
    const gateway = LocalGateway.aiBinding().gateway("local-gateway")
    const { provider, endpoint, query } = entry()
    // @ts-expect-error: headers are missing
    assert.throws(() => gateway.run({ provider, endpoint, query }), TypeError)
    assert.throws(() => gateway.run(entry(), { gateway: { metadata: { n: 1n } } }), TypeError)
  })

  it("answers with the response, whatever its status", async () => {
    const response = await LocalGateway.aiBinding().gateway("other").run(entry())
    assert.strictEqual(response.status, 400)
  })

  it("a signal ends it", async () => {
    const ai = replying("openai", LocalGateway.hang)
    const signal = AbortSignal.timeout(5)
    const error = await ai
      .gateway("local-gateway")
      .run(entry(), { signal })
      .then(
        () => undefined,
        (error: unknown) => error
      )
    assert.strictEqual(error, signal.reason)
  })

  it("reads a log entry, with a date, and changes it", async () => {
    const ai = LocalGateway.aiBinding()
    const gateway = ai.gateway("local-gateway")
    const id = (await gateway.run(entry())).headers.get("cf-aig-log-id") ?? ""
    assert.isUndefined(await gateway.patchLog(id, { feedback: 1, score: 7, metadata: { seen: true } }))
    const log = await gateway.getLog(id)
    assert.instanceOf(log.created_at, Date)
    assert.deepInclude(log, { id, provider: "openai", success: true, metadata: { seen: true } })
    assert.deepInclude(ai.local.logs()[0], { feedback: 1, score: 7 })
  })

  it("a log entry that is not there is AiGatewayLogNotFound", async () => {
    const gateway = LocalGateway.aiBinding().gateway("local-gateway")
    for (const call of [gateway.getLog("nope"), gateway.patchLog("nope", { feedback: 1 })]) {
      const error = await caught(call)
      assert.deepStrictEqual([error.name, error.message], ["AiGatewayLogNotFound", "Log not found"])
    }
  })

  it("changes that are not valid, and another gateway, are AiGatewayInternalError", async () => {
    const ai = LocalGateway.aiBinding()
    const id = (await ai.gateway("local-gateway").run(entry())).headers.get("cf-aig-log-id") ?? ""
    const bad = await caught(ai.gateway("local-gateway").patchLog(id, { score: 101 }))
    assert.strictEqual(bad.name, "AiGatewayInternalError")
    assert.include(bad.message, "score")
    const other = await caught(ai.gateway("other").getLog(id))
    assert.strictEqual(other.name, "AiGatewayInternalError")
    assert.include(other.message, "2001")
  })

  it("says addresses", async () => {
    const gateway = LocalGateway.aiBinding().gateway("local-gateway")
    const base = "https://gateway.ai.cloudflare.com/v1/local-account/local-gateway/"
    assert.strictEqual(await gateway.getUrl(), base)
    assert.strictEqual(await gateway.getUrl("openai"), `${base}openai`)
  })
})

describe("LocalGateway.aiBinding: fetch, and its end", () => {
  const stream = { messages: [question], stream: true }

  it("fetch resumes a run", async () => {
    const reply = LocalGateway.connections(LocalGateway.text("one two"), [LocalGateway.cutAfter(1)])
    const ai = replying("openai", reply)
    const response = await ai.run("openai/gpt-5-mini", stream, { ...through, returnRawResponse: true })
    const id = response instanceof Response ? response.headers.get("cf-aig-run-id") : null
    const rest = await ai.fetch(
      `https://workers-binding.ai/ai-gateway/gateways/local-gateway/run/${id}/resume?from=1`
    )
    assert.include(await rest.text(), "[DONE]")
  })

  it("after close nothing is open, and nothing is asked any more", async () => {
    const ai = replying("workers-ai", LocalGateway.hang)
    const run = ai.run(llama, { prompt: "x" }, through)
    setTimeout(() => ai.close(), 5)
    assert.strictEqual((await caught(run)).message, "The binding was closed")
    assert.strictEqual(ai.local.inFlight(), 0)
    await caught(ai.gateway("local-gateway").run(entry()))
    assert.lengthOf(ai.local.upstreamRequests(), 1)
  })

  it.scoped("in Effect it is on the Effect clock", () =>
    Effect.gen(function* () {
      const gateway = LocalGateway.make({
        upstreams: {
          "workers-ai": LocalGateway.always(LocalGateway.delayed(LocalGateway.text("Hi"), "1 hour"))
        }
      })
      const ai = yield* LocalGateway.aiBindingScoped(gateway)
      const fiber = yield* Effect.fork(Effect.promise(() => ai.run(llama, { prompt: "x" }, through)))
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))
      yield* TestClock.adjust("1 hour")
      assert.deepInclude(yield* Fiber.join(fiber), { response: "Hi" })
    })
  )

  it.effect("and closes with its scope", () =>
    Effect.gen(function* () {
      const ai = yield* Effect.scoped(LocalGateway.aiBindingScoped())
      const error = yield* Effect.promise(() => caught(ai.run(llama, { prompt: "x" })))
      assert.strictEqual(error.message, "The binding was closed")
    })
  )
})
