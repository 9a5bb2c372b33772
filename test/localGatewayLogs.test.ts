import { assert, describe, it } from "@effect/vitest"
import * as LocalGateway from "../src/LocalGateway.js"
import { plain, type Received, send } from "./localGatewayClient.js"

// The log of a gateway on api.cloudflare.com, as Cloudflare's own SDK asks for it.

const base =
  "https://api.cloudflare.com/client/v4/accounts/local-account/ai-gateway/gateways/local-gateway/logs"

const at = (gateway: LocalGateway.LocalGateway, path: string, method = "GET", body?: unknown) =>
  send(gateway, { path: base + path, method, ...(body === undefined ? {} : { body }) })

interface Call {
  readonly path?: string
  readonly body: object
  readonly headers?: Record<string, string>
}

const call = (gateway: LocalGateway.LocalGateway, { path = "/openai/chat/completions", ...sent }: Call) =>
  send(gateway, { path, ...sent })

const chat = (model: string, content = "Hello") => ({ model, messages: [{ role: "user", content }] })

/** Four entries: two models, a failure, and an answer from the cache. */
const filled = async () => {
  const gateway = LocalGateway.make({
    upstreams: {
      openai: LocalGateway.script([LocalGateway.echo, LocalGateway.status(503)])
    }
  })
  const ids: Array<string> = []
  const add = async (sent: Call) => {
    ids.push((await call(gateway, sent)).headers.get("cf-aig-log-id") ?? "")
  }
  const cost = { "cf-aig-custom-cost": '{"total_cost":0.5}' }
  await add({
    body: chat("gpt-5-mini"),
    headers: { ...cost, "cf-aig-metadata": '{"user":"Ada","n":1}', "cf-aig-cache-key": "k" }
  })
  await add({ body: chat("gpt-5"), headers: { "cf-aig-event-id": "e-1", "user-agent": "test/1" } })
  await add({
    body: chat("gpt-5-mini"),
    headers: { "cf-aig-metadata": '{"user":"Bob"}', "cf-aig-cache-key": "k" }
  })
  await add({
    path: "/anthropic/v1/messages",
    body: { ...chat("claude-haiku-4-5", "one two three"), max_tokens: 9 },
    headers: { "anthropic-version": "2023-06-01" }
  })
  return { gateway, ids }
}

const idsOf = ({ json }: Received): ReadonlyArray<string | undefined> =>
  json.result.map(({ id }: { id: string }) => id)

describe("LocalGateway: the list of a gateway's logs", () => {
  it("is in the envelope of the API, newest first", async () => {
    const { gateway, ids } = await filled()
    const answer = await at(gateway, "")
    assert.strictEqual(answer.status, 200)
    assert.deepStrictEqual(idsOf(answer), [...ids].reverse())
    assert.deepInclude(answer.json, { success: true, errors: [], messages: [] })
    assert.deepStrictEqual(answer.json.result_info, { page: 1, per_page: 20, count: 4, total_count: 4 })
    assert.isNull(answer.headers.get("cf-aig-event-id"))
  })

  it("an entry's metadata is a text, and it has no bodies", async () => {
    const { gateway } = await filled()
    const [first] = (await at(gateway, "?order_by_direction=asc")).json.result
    assert.strictEqual(first.metadata, '{"user":"Ada","n":1}')
    assert.deepInclude(first, {
      provider: "openai",
      model: "gpt-5-mini",
      path: "chat/completions",
      success: true,
      cached: false,
      status_code: 200,
      step: 0,
      cost: 0.5,
      custom_cost: true,
      tokens_in: 1,
      tokens_out: 3
    })
    assert.notProperty(first, "request_head")
  })

  it("comes in pages", async () => {
    const { gateway, ids } = await filled()
    const second = await at(gateway, "?page=2&per_page=3&order_by_direction=asc")
    assert.deepStrictEqual(idsOf(second), ids.slice(3))
    assert.deepStrictEqual(second.json.result_info, { page: 2, per_page: 3, count: 1, total_count: 4 })
    assert.deepStrictEqual((await at(gateway, "?page=3&per_page=3")).json.result, [])
  })

  it("is sorted by what is asked", async () => {
    const { gateway } = await filled()
    const models = (await at(gateway, "?order_by=model&order_by_direction=asc")).json.result.map(
      ({ model }: { model: string }) => model
    )
    assert.deepStrictEqual(models, ["claude-haiku-4-5", "gpt-5", "gpt-5-mini", "gpt-5-mini"])
  })

  it("is searched in its metadata", async () => {
    const { gateway, ids } = await filled()
    assert.deepStrictEqual(idsOf(await at(gateway, "?search=ada")), [ids[0]])
  })

  it("is of one gateway alone", async () => {
    const { gateway } = await filled()
    const other =
      "https://api.cloudflare.com/client/v4/accounts/local-account/ai-gateway/gateways/default/logs"
    assert.deepStrictEqual((await send(gateway, { path: other, method: "GET" })).json.result, [])
  })

  it.each([
    "page=0",
    "page=x",
    "per_page=51",
    "per_page=0",
    "order_by=cost",
    "order_by_direction=up",
    "filters.key=nothing&filters.operator=eq&filters.value=1",
    "filters.key=model&filters.operator=like&filters.value=1",
    "filters.key=model&filters.operator=eq",
    "filters.key=model&filters.value=1",
    "filters.key=model&filters.key=model&filters.operator=eq&filters.value=1",
    "filters=%5B%5D",
    "filters[0][key]=model&filters[0][operator]=eq&filters[0][value]=1"
  ])("%s is refused", async (query) => {
    const answer = await at(plain(), `?${query}`)
    assert.strictEqual(answer.status, 400, answer.text)
    assert.isFalse(answer.json.success)
    assert.isString(answer.json.errors[0].message)
  })
})

describe("LocalGateway: filters of logs", () => {
  const one = (key: string, operator: string, ...values: ReadonlyArray<string>) =>
    `filters.key=${key}&filters.operator=${operator}${values.map((value) => `&filters.value=${value}`).join("")}`

  // The entries of `filled` by their places.
  it.each<[string, ReadonlyArray<number>]>([
    [one("model", "eq", "gpt-5"), [1]],
    [one("model", "eq", "gpt-5", "claude-haiku-4-5"), [1, 3]],
    [one("model", "neq", "gpt-5", "claude-haiku-4-5"), [0, 2]],
    [one("model", "contains", "mini"), [0, 2]],
    [one("provider", "eq", "anthropic"), [3]],
    [one("success", "eq", "false"), [1]],
    [one("cached", "eq", "true"), [2]],
    [one("cost", "gt", "0.1"), [0]],
    [one("cost", "eq", "0"), [2]],
    [one("cost", "eq", ""), [1, 3]],
    [one("tokens_in", "gt", "1"), [3]],
    [one("tokens_out", "lt", "4"), [0, 2]],
    [one("tokens", "eq", "4"), [0, 2]],
    [one("duration", "lt", "60000"), [0, 1, 2, 3]],
    [one("event_id", "eq", "e-1"), [1]],
    [one("user_agent", "contains", "test"), [1]],
    [one("metadata.key", "eq", "n"), [0]],
    [one("metadata.value", "eq", "Bob"), [2]],
    [one("metadata.value", "eq", "1"), [0]],
    [one("created_at", "gt", "2020-01-01T00:00:00Z"), [0, 1, 2, 3]],
    [one("created_at", "lt", "2020-01-01T00:00:00Z"), []],
    [one("request_type", "eq", "chat"), []],
    [`${one("model", "contains", "gpt")}&${one("success", "eq", "true")}`, [0, 2]],
    [`${one("model", "eq", "gpt-5", "gpt-5-mini")}&${one("cached", "eq", "true")}&page=1`, [2]]
  ])("%s", async (query, places) => {
    const { gateway, ids } = await filled()
    const answer = await at(gateway, `?order_by_direction=asc&${query}`)
    assert.strictEqual(answer.status, 200, answer.text)
    assert.deepStrictEqual(
      idsOf(answer),
      places.map((place) => ids[place])
    )
  })

  it("a filter may begin with another of its fields", async () => {
    const { gateway, ids } = await filled()
    const query =
      "filters.value=gpt-5&filters.value=gpt-5-mini&filters.operator=eq&filters.key=model" +
      "&filters.value=true&filters.operator=eq&filters.key=cached"
    assert.deepStrictEqual(idsOf(await at(gateway, `?${query}`)), [ids[2]])
  })

  it("feedback is filtered once it is given", async () => {
    const { gateway, ids } = await filled()
    await at(gateway, `/${ids[1]}`, "PATCH", { feedback: -1 })
    assert.deepStrictEqual(idsOf(await at(gateway, `?${one("feedback", "eq", "-1")}`)), [ids[1]])
    assert.deepStrictEqual(idsOf(await at(gateway, `?${one("feedback", "eq", "1")}`)), [])
  })
})

describe("LocalGateway: one entry of the logs", () => {
  it("has heads and sizes of its bodies beside", async () => {
    const { gateway, ids } = await filled()
    const { result } = (await at(gateway, `/${ids[0]}`)).json
    assert.strictEqual(result.id, ids[0])
    assert.strictEqual(result.metadata, '{"user":"Ada","n":1}')
    assert.deepStrictEqual(JSON.parse(result.request_head), chat("gpt-5-mini"))
    assert.isTrue(result.request_head_complete)
    assert.strictEqual(result.response_size, result.response_head.length)
  })

  it("a long head is cut, and says so", async () => {
    const gateway = plain()
    const { headers } = await call(gateway, { body: chat("gpt-5-mini", "word ".repeat(2000)) })
    const { result } = (await at(gateway, `/${headers.get("cf-aig-log-id")}`)).json
    assert.isFalse(result.request_head_complete)
    assert.isAbove(result.request_size, result.request_head.length)
  })

  it("its bodies are there whole", async () => {
    const { gateway, ids } = await filled()
    assert.deepStrictEqual((await at(gateway, `/${ids[1]}/request`)).json, chat("gpt-5"))
    assert.strictEqual(
      (await at(gateway, `/${ids[0]}/response`)).json.choices[0].message.content,
      "You said: Hello"
    )
  })

  it("the body of a stream is its events", async () => {
    const gateway = plain()
    const { headers } = await call(gateway, { body: { ...chat("gpt-5-mini"), stream: true } })
    const { text } = await at(gateway, `/${headers.get("cf-aig-log-id")}/response`)
    assert.isTrue(text.startsWith("data: {"))
    assert.include(text, "[DONE]")
  })

  it("an entry without payload has no bodies", async () => {
    const gateway = plain()
    const { headers } = await call(gateway, {
      body: chat("gpt-5-mini"),
      headers: { "cf-aig-collect-log-payload": "false" }
    })
    assert.strictEqual((await at(gateway, `/${headers.get("cf-aig-log-id")}/request`)).status, 404)
  })

  it("is changed by feedback, a score and metadata", async () => {
    const { gateway, ids } = await filled()
    const answer = await at(gateway, `/${ids[0]}`, "PATCH", { feedback: 1, score: 99.5, metadata: { a: 1 } })
    assert.deepStrictEqual([answer.status, answer.json.success], [200, true])
    assert.deepInclude(gateway.logs()[0], { feedback: 1, score: 99.5 })
    assert.strictEqual((await at(gateway, `/${ids[0]}`)).json.result.metadata, '{"a":1}')
  })

  it.each([{ feedback: 2 }, { score: -1 }, { metadata: [] }, { metadata: { a: {} } }])(
    "%j is no change that it takes",
    async (body) => {
      const { gateway, ids } = await filled()
      const answer = await at(gateway, `/${ids[0]}`, "PATCH", body)
      assert.deepStrictEqual([answer.status, answer.json.success], [400, false])
    }
  )

  it.each(["", "/request", "/response"])(
    "one that is not there is 404 in the API's envelope (%s)",
    async (part) => {
      const answer = await at(plain(), `/01JAAAAAAAAAAAAAAAAAAAAAAA${part}`)
      assert.strictEqual(answer.status, 404)
      assert.deepInclude(answer.json, { success: false, result: null })
      assert.strictEqual(answer.json.errors[0].message, "Log not found")
    }
  )
})

describe("LocalGateway: deleting logs", () => {
  it("all that the filters mean", async () => {
    const { gateway, ids } = await filled()
    const answer = await at(
      gateway,
      "?filters.key=model&filters.operator=contains&filters.value=mini",
      "DELETE"
    )
    assert.deepStrictEqual([answer.status, answer.json.success], [200, true])
    assert.deepStrictEqual(
      gateway.logs().map(({ id }) => id),
      [ids[1], ids[3]]
    )
  })

  it("no more than the limit, in the order that is asked", async () => {
    const { gateway, ids } = await filled()
    await at(gateway, "?limit=1&order_by=created_at&order_by_direction=asc", "DELETE")
    assert.deepStrictEqual(
      gateway.logs().map(({ id }) => id),
      ids.slice(1)
    )
    await at(gateway, "?limit=1&order_by=cost", "DELETE")
    assert.deepStrictEqual(
      gateway.logs().map(({ id }) => id),
      [ids[1], ids[3]]
    )
  })

  it("of another gateway none", async () => {
    const { gateway } = await filled()
    await send(gateway, { path: base.replace("local-gateway", "default"), method: "DELETE" })
    assert.lengthOf(gateway.logs(), 4)
  })

  it("a filter that is wrong deletes nothing", async () => {
    const { gateway } = await filled()
    const answer = await at(gateway, "?filters.key=nothing&filters.operator=eq&filters.value=1", "DELETE")
    assert.strictEqual(answer.status, 400)
    assert.lengthOf(gateway.logs(), 4)
  })
})

describe("LocalGateway: who may see the logs", () => {
  it("the holder of the account's token, as for all of that API", async () => {
    for (const authorization of ["", "Bearer other", "local-token"]) {
      const answer = await send(plain(), { path: base, method: "GET", headers: { authorization } })
      assert.deepStrictEqual([answer.status, answer.json.errors[0].code], [401, 10000])
    }
    const gateway = LocalGateway.make({ accountToken: "cf-token" })
    const headers = { authorization: "Bearer cf-token" }
    assert.strictEqual((await send(gateway, { path: base, method: "GET", headers })).status, 200)
  })

  it("a gateway or an account that is not there is 404", async () => {
    for (const path of [base.replace("local-gateway", "other"), base.replace("local-account", "other")]) {
      const answer = await send(plain(), { path, method: "GET" })
      assert.strictEqual(answer.status, 404)
      assert.isNumber(answer.json.errors[0].code)
    }
  })

  it("other methods are not available", async () => {
    assert.strictEqual((await at(plain(), "", "POST", {})).status, 405)
    const { gateway, ids } = await filled()
    assert.strictEqual((await at(gateway, `/${ids[0]}`, "PUT", {})).status, 405)
    assert.strictEqual((await at(gateway, `/${ids[0]}/request`, "PATCH", {})).status, 405)
  })
})
