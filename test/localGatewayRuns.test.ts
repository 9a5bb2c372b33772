import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as LocalGateway from "../src/LocalGateway.js"
import * as LocalGatewayServer from "../src/LocalGatewayServer.js"

// Streams of `env.AI.run` that a client lost, and asks for again.

const host = "https://workers-binding.ai"
const model = "openai/gpt-5-mini"
const words = "one two three four five"

const body = JSON.stringify({
  inputs: { stream: true, messages: [{ role: "user", content: "Count" }] },
  options: { gateway: { id: "local-gateway" } }
})

const started = (base = host) =>
  new Request(`${base}/ai-gateway/run?version=3`, {
    method: "POST",
    headers: { "content-type": "application/json", "cf-consn-model-id": model },
    body
  })

const rest = (id: string, from: number | string, gateway = "local-gateway", base = host) =>
  new Request(`${base}/ai-gateway/gateways/${gateway}/run/${id}/resume?from=${from}`)

async function* chunksOf({ body }: Response) {
  const reader = body?.getReader()
  for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) yield next.value
}

/** All that a body says, and whether it broke. */
const read = async (response: Response): Promise<{ readonly text: string; readonly broke: boolean }> => {
  const decoder = new TextDecoder()
  let text = ""
  try {
    for await (const chunk of chunksOf(response)) text += decoder.decode(chunk, { stream: true })
    return { text, broke: false }
  } catch {
    return { text, broke: true }
  }
}

const counted = (text: string) => text.split(/\r?\n\r?\n/).length - 1

const replying = (reply: LocalGateway.Reply, runs: LocalGateway.RunSettings = {}) =>
  LocalGateway.make({ upstreams: { openai: LocalGateway.always(reply) }, runs })

const begin = async (gateway: LocalGateway.LocalGateway) => {
  const response = await gateway.handle(started())
  const id = response.headers.get("cf-aig-run-id") ?? ""
  return { id, response, ...(await read(response)) }
}

const resume = async (gateway: LocalGateway.LocalGateway, id: string, from: number | string) => {
  const response = await gateway.handle(rest(id, from))
  return { response, ...(await read(response)) }
}

describe("LocalGateway: resuming a run", () => {
  it("the rest from an event on is exactly the bytes behind it", async () => {
    const gateway = replying(LocalGateway.text(words))
    const { id, text } = await begin(gateway)
    const all = text.split(/(?<=\n\n)/)
    for (const from of [0, 1, 3, all.length - 1]) {
      const { response, text } = await resume(gateway, id, from)
      assert.strictEqual(response.status, 200)
      assert.strictEqual(text, all.slice(from).join(""))
    }
  })

  it("past the end it is 200 and no bytes", async () => {
    const gateway = replying(LocalGateway.text(words))
    const { id, text } = await begin(gateway)
    for (const from of [counted(text), 1000]) {
      const rest = await resume(gateway, id, from)
      assert.deepStrictEqual([rest.response.status, rest.text, rest.broke], [200, "", false])
    }
  })

  it("a run that nobody knows is 404, with an error that is text", async () => {
    const answer = await resume(replying(LocalGateway.text(words)), "0".repeat(64), 0)
    assert.strictEqual(answer.response.status, 404)
    assert.deepStrictEqual(JSON.parse(answer.text), { error: "Request not found" })
  })

  it("another gateway does not know it", async () => {
    const gateway = replying(LocalGateway.text(words))
    const { id } = await begin(gateway)
    assert.strictEqual((await gateway.handle(rest(id, 0, "default"))).status, 404)
    assert.strictEqual((await gateway.handle(rest(id, 0, "other"))).status, 400)
  })

  it.each(["abc", "z".repeat(64), "A".repeat(64)])("the id %s is malformed: 500 and 2002", async (id) => {
    const answer = await resume(replying(LocalGateway.text(words)), id, 0)
    assert.strictEqual(answer.response.status, 500)
    assert.deepInclude(JSON.parse(answer.text), { name: "AiGatewayError", internalCode: 2002 })
  })

  it("a place that is no number is refused, and no place is the beginning", async () => {
    const gateway = replying(LocalGateway.text(words))
    const { id, text } = await begin(gateway)
    assert.strictEqual((await resume(gateway, id, "x")).response.status, 400)
    const whole = await gateway.handle(
      new Request(`${host}/ai-gateway/gateways/local-gateway/run/${id}/resume`)
    )
    assert.strictEqual((await read(whole)).text, text)
  })

  it("requests to resume are seen like all others", async () => {
    const gateway = replying(LocalGateway.text(words))
    const { id } = await begin(gateway)
    await resume(gateway, id, 2)
    assert.match(gateway.requests()[1]?.url ?? "", new RegExp(`/run/${id}/resume\\?from=2$`))
    assert.strictEqual(gateway.requests()[1]?.status, 200)
    assert.lengthOf(gateway.upstreamRequests(), 1)
  })

  it("two readers get the same", async () => {
    const gateway = replying(LocalGateway.text(words))
    const { id } = await begin(gateway)
    const [a, b] = await Promise.all([resume(gateway, id, 2), resume(gateway, id, 2)])
    assert.strictEqual(a.text, b.text)
  })

  it("reset forgets it", async () => {
    const gateway = replying(LocalGateway.text(words))
    const { id } = await begin(gateway)
    gateway.reset()
    assert.strictEqual((await resume(gateway, id, 0)).response.status, 404)
  })
})

describe("LocalGateway: connections to a run", () => {
  const cut = (...connections: ReadonlyArray<LocalGateway.RunConnection>) =>
    replying(LocalGateway.connections(LocalGateway.text(words), connections))

  it("one breaks after so many complete events, and the rest is there", async () => {
    const { text: whole } = await begin(replying(LocalGateway.text(words)))
    const gateway = cut(LocalGateway.cutAfter(3))
    const first = await begin(gateway)
    assert.isTrue(first.broke)
    assert.strictEqual(counted(first.text), 3)
    const second = await resume(gateway, first.id, 3)
    assert.isFalse(second.broke)
    // Ids differ from run to run, and the length of an answer does not.
    assert.strictEqual(first.text.length + second.text.length, whole.length)
    assert.strictEqual(counted(first.text + second.text), counted(whole))
  })

  it("one breaks in the middle of an event", async () => {
    const gateway = cut(LocalGateway.cutAfter(3, { bytes: 10 }))
    const first = await begin(gateway)
    assert.strictEqual(counted(first.text), 3)
    assert.lengthOf(first.text.slice(first.text.lastIndexOf("\n\n") + 2), 10)
    const second = await resume(gateway, first.id, 3)
    assert.isTrue(second.text.startsWith(first.text.slice(-10)))
  })

  it("one breaks before there is anything", async () => {
    const first = await begin(cut(LocalGateway.cutAfter(0)))
    assert.deepStrictEqual([first.text, first.broke], ["", true])
  })

  it("one breaks behind its last event", async () => {
    const first = await begin(cut(LocalGateway.cutAfter(1000)))
    assert.isTrue(first.broke)
    assert.include(first.text, "[DONE]")
  })

  it("those that resume break too, each in its turn, and then one lasts", async () => {
    const gateway = cut(LocalGateway.cutAfter(2), LocalGateway.cutAfter(2), LocalGateway.cutAfter(1))
    const { id } = await begin(gateway)
    const second = await resume(gateway, id, 2)
    assert.deepStrictEqual([counted(second.text), second.broke], [2, true])
    const third = await resume(gateway, id, 4)
    assert.deepStrictEqual([counted(third.text), third.broke], [1, true])
    const last = await resume(gateway, id, 5)
    assert.isFalse(last.broke)
    assert.include(last.text, "[DONE]")
  })

  it("resuming is refused with a status, in the form that belongs to it", async () => {
    const gateway = cut(
      LocalGateway.cutAfter(1),
      LocalGateway.refusesWith(503),
      LocalGateway.refusesWith(404),
      LocalGateway.refusesWith(500),
      LocalGateway.refusesWith(502, { html: true }),
      LocalGateway.refusesWith(418, { body: { tea: true } })
    )
    const { id } = await begin(gateway)
    const answers = []
    for (let i = 0; i < 5; i++) answers.push(await resume(gateway, id, 1))
    assert.deepStrictEqual(
      answers.map(({ response }) => response.status),
      [503, 404, 500, 502, 418]
    )
    assert.deepStrictEqual(JSON.parse(answers[1]?.text ?? ""), { error: "Request not found" })
    assert.strictEqual(JSON.parse(answers[2]?.text ?? "").internalCode, 2002)
    assert.match(answers[3]?.text ?? "", /^<!DOCTYPE html>/)
    assert.deepStrictEqual(JSON.parse(answers[4]?.text ?? ""), { tea: true })
    assert.include((await resume(gateway, id, 1)).text, "[DONE]")
  })

  it("resuming finds nobody", async () => {
    const gateway = cut(LocalGateway.cutAfter(1), LocalGateway.unreachable)
    const { id } = await begin(gateway)
    const error = await gateway.handle(rest(id, 1)).then(
      () => undefined,
      (error: unknown) => error
    )
    assert.instanceOf(error, TypeError)
    assert.strictEqual((await resume(gateway, id, 1)).response.status, 200)
  })

  it("one falls silent until the client leaves", async () => {
    const gateway = cut(LocalGateway.silentAfter(1))
    const response = await gateway.handle(started())
    const reader = response.body?.getReader()
    assert.include(new TextDecoder().decode((await reader?.read())?.value), "data:")
    const next = reader?.read()
    const first = await Promise.race([next, new Promise((resolve) => setTimeout(resolve, 20, "silence"))])
    assert.strictEqual(first, "silence")
    await reader?.cancel()
    assert.isTrue(gateway.requests()[0]?.aborted)
    assert.strictEqual(gateway.inFlight(), 0)
  })

  it("a setting makes all runs fare so, and a reply's own beat it", async () => {
    const runs = { connections: [LocalGateway.cutAfter(1)] }
    assert.isTrue((await begin(replying(LocalGateway.text(words), runs))).broke)
    const own = LocalGateway.connections(LocalGateway.text(words), [LocalGateway.whole])
    assert.isFalse((await begin(replying(own, runs))).broke)
  })

  it("CR LF is counted like LF, and kept", async () => {
    const gateway = replying(
      LocalGateway.connections(LocalGateway.crlf(LocalGateway.text(words)), [LocalGateway.cutAfter(2)])
    )
    const first = await begin(gateway)
    assert.strictEqual(first.text.split("\r\n\r\n").length - 1, 2)
    assert.notMatch(first.text, /[^\r]\n/)
    const second = await resume(gateway, first.id, 2)
    assert.isTrue(second.text.startsWith("data:"))
    assert.include(second.text, "[DONE]\r\n\r\n")
  })

  it("events are counted right however the bytes are cut", async () => {
    const reply = LocalGateway.rechunk(LocalGateway.crlf(LocalGateway.text(words)), 1)
    const gateway = replying(LocalGateway.connections(reply, [LocalGateway.cutAfter(2, { bytes: 3 })]))
    const first = await begin(gateway)
    assert.strictEqual(first.text.slice(-3), "dat")
    assert.strictEqual(first.text.split("\r\n\r\n").length - 1, 2)
    const response = await gateway.handle(rest(first.id, 2))
    const sizes: Array<number> = []
    for await (const chunk of chunksOf(response)) sizes.push(chunk.length)
    assert.isTrue(sizes.every((size) => size === 1))
  })

  it("several blank lines in a row end one event", async () => {
    const reply = LocalGateway.raw({
      headers: { "content-type": "text/event-stream" },
      body: "data: 1\n\n\ndata: 2\n\ndata: 3\n\n"
    })
    const gateway = replying(reply)
    const { id } = await begin(gateway)
    assert.strictEqual((await resume(gateway, id, 2)).text, "data: 3\n\n")
  })

  it("a run whose provider breaks off breaks when resumed as well, behind what there is", async () => {
    const gateway = replying(LocalGateway.dropAfter(LocalGateway.text(words), 3))
    const first = await begin(gateway)
    assert.deepStrictEqual([counted(first.text), first.broke], [3, true])
    const second = await resume(gateway, first.id, 1)
    assert.deepStrictEqual([counted(second.text), second.broke], [2, true])
  })
})

describe("LocalGateway: a run goes on without its client", () => {
  it("and what it said meanwhile is there", async () => {
    const gateway = replying(LocalGateway.text(words, { delay: "5 millis" }))
    const response = await gateway.handle(started())
    const id = response.headers.get("cf-aig-run-id") ?? ""
    const reader = response.body?.getReader()
    await reader?.read()
    await reader?.cancel()
    const { text, broke } = await resume(gateway, id, 1)
    assert.isFalse(broke)
    assert.include(text, "five")
    assert.isTrue(gateway.requests()[0]?.aborted)
    assert.include(gateway.logs()[0]?.response, "[DONE]")
  })

  it("resuming waits for what is not said yet", async () => {
    const gateway = replying(LocalGateway.text(words, { delay: "5 millis" }))
    const response = await gateway.handle(started())
    const id = response.headers.get("cf-aig-run-id") ?? ""
    await response.body?.cancel()
    const late = await gateway.handle(rest(id, 4))
    assert.strictEqual(late.status, 200)
    assert.include((await read(late)).text, "[DONE]")
  })

  it("but one that has not answered yet ends with its client", async () => {
    const gateway = replying(LocalGateway.hang)
    const controller = new AbortController()
    const answer = gateway.handle(started(), { signal: controller.signal })
    setTimeout(() => controller.abort(new Error("gone")), 5)
    const error = await answer.then(
      () => undefined,
      (error: unknown) => error
    )
    assert.deepStrictEqual(error, new Error("gone"))
    assert.strictEqual(gateway.inFlight(), 0)
  })
})

describe("LocalGateway: the life of a run, on the Effect clock", () => {
  const get = (url: string) => Effect.flatMap(HttpClient.get(url), (answer) => answer.text)
  const post = HttpClientRequest.post(`${host}/ai-gateway/run?version=3`, {
    headers: { "cf-consn-model-id": model }
  }).pipe(HttpClientRequest.bodyText(body, "application/json"))

  it.effect("is 330 seconds from its end", () =>
    Effect.gen(function* () {
      const response = yield* HttpClient.execute(post)
      yield* response.text
      const url = rest(response.headers["cf-aig-run-id"] ?? "", 1).url
      yield* TestClock.adjust("329 seconds")
      assert.include(yield* get(url), "[DONE]")
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(yield* get(url), '{"error":"Request not found"}')
    }).pipe(Effect.provide(LocalGateway.layerFrom(replying(LocalGateway.text(words)))))
  )

  it.effect("or as long as it is set", () =>
    Effect.gen(function* () {
      const response = yield* HttpClient.execute(post)
      yield* response.text
      const url = rest(response.headers["cf-aig-run-id"] ?? "", 1).url
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* get(url), '{"error":"Request not found"}')
    }).pipe(Effect.provide(LocalGateway.layerFrom(replying(LocalGateway.text(words), { life: "2 seconds" }))))
  )
})

describe("LocalGateway: runs over a socket", () => {
  it.live("a cut is a broken connection, in the middle of an event", () =>
    Effect.gen(function* () {
      const gateway = replying(
        LocalGateway.connections(LocalGateway.text(words), [
          LocalGateway.cutAfter(2, { bytes: 7 }),
          LocalGateway.unreachable
        ])
      )
      const { url } = yield* LocalGatewayServer.start(gateway)
      const [first, unreachable, second] = yield* Effect.promise(async () => {
        const response = await fetch(started(url))
        const id = response.headers.get("cf-aig-run-id") ?? ""
        const first = await read(response)
        const unreachable = await fetch(rest(id, 2, "local-gateway", url)).then(
          () => false,
          () => true
        )
        return [first, unreachable, await read(await fetch(rest(id, 2, "local-gateway", url)))] as const
      })
      assert.isTrue(first.broke)
      assert.strictEqual(counted(first.text), 2)
      assert.lengthOf(first.text.slice(first.text.lastIndexOf("\n\n") + 2), 7)
      assert.isTrue(unreachable)
      assert.include(second.text, "[DONE]")
    }).pipe(Effect.scoped)
  )
})
