/** The log of a gateway: over the account's API, and through a Worker's binding. */
import { inspect } from "node:util"
import { FetchHttpClient } from "@effect/platform"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import {
  Chunk,
  Config,
  ConfigProvider,
  type Context,
  Deferred,
  Effect,
  Either,
  Exit,
  FastCheck,
  Fiber,
  Layer,
  Option,
  Redacted,
  Schedule,
  Schema,
  Stream,
  TestClock,
  Tracer
} from "effect"
import { AiGateway, ChatModel, GatewayLogs, LocalGateway, OpenAi, TestModel } from "effect-ai-gateway"
import * as Errors from "effect-ai-gateway/AiGatewayError"
import * as LogEntry from "../src/internal/logs/logEntry.js"
import * as LogFilter from "../src/internal/logs/logFilter.js"
import * as LogPatch from "../src/internal/logs/logPatch.js"
import * as LocalGatewayServer from "../src/LocalGatewayServer.js"

const token = "cf-token-0123456789abcdef"
const logId = "01JADMCQQQBWH3NXZ5GCRN98DP"
const settings = { accountId: "acct", gatewayId: "my-gateway", token: Redacted.make(token) }
const logUrl = "https://api.cloudflare.com/client/v4/accounts/acct/ai-gateway/gateways/my-gateway/logs"

/** What JavaScript, or a cast, may pass. */
const untyped = <T>(value: unknown): T => value as T

/** Compiled, never run. */
const never = (_claim: () => unknown): void => {}

// --- the API, by hand -------------------------------------------------------------------------------------------------

interface Asked {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

interface Api {
  readonly asked: Array<Asked>
  readonly client: Layer.Layer<HttpClient.HttpClient>
}

const bodyOf = ({ body }: HttpClientRequest): unknown =>
  body._tag === "Uint8Array" ? JSON.parse(new TextDecoder().decode(body.body)) : undefined

/** Answers with JSON, with a text as it is, or not at all. */
const api = (answer: (asked: Asked) => { readonly status?: number; readonly body?: unknown }): Api => {
  const asked: Array<Asked> = []
  const client = HttpClient.make((request, url) =>
    Effect.sync(() => {
      const one: Asked = {
        method: request.method,
        url: url.toString(),
        headers: request.headers,
        body: bodyOf(request)
      }
      asked.push(one)
      if (asked.length > 200) throw new Error("Does it never end?")
      const { status = 200, body } = answer(one)
      return HttpClientResponse.fromWeb(
        request,
        new Response(typeof body === "string" ? body : JSON.stringify(body), { status })
      )
    })
  )
  return { asked, client: Layer.succeed(HttpClient.HttpClient, client) }
}

const over = ({ client }: Api) => GatewayLogs.layer(settings).pipe(Layer.provide(client))

const queryOf = (asked: Asked | undefined) => Object.fromEntries(new URL(asked?.url ?? "").searchParams)

const good = (result: unknown, more: object = {}) => ({
  body: { success: true, result, errors: [], messages: [], ...more }
})

const bad = (status: number, code: number | undefined, message: string) => ({
  status,
  body: { success: false, result: null, errors: [{ code, message }], messages: [] }
})

const row = (id: string, more: object = {}) => ({ id, provider: "openai", model: "gpt-5-mini", ...more })

const whole = {
  id: logId,
  created_at: "2026-11-24T15:00:00.000Z",
  provider: "openai",
  model: "gpt-5-mini",
  model_type: "text",
  path: "chat/completions",
  duration: 812,
  success: true,
  cached: false,
  status_code: 200,
  tokens_in: 12,
  tokens_out: 34,
  cost: 0.000123,
  custom_cost: false,
  step: 0,
  metadata: '{"team":"search","turn":3,"test":false}',
  request_type: "chat",
  request_content_type: "application/json",
  response_content_type: "application/json",
  request_size: 100,
  response_size: 200,
  request_head: '{"messages":[]}',
  request_head_complete: true,
  response_head: "{",
  response_head_complete: false
}

const read = {
  id: logId,
  createdAt: new Date("2026-11-24T15:00:00.000Z"),
  provider: "openai",
  model: "gpt-5-mini",
  modelType: "text",
  path: "chat/completions",
  duration: 812,
  success: true,
  cached: false,
  statusCode: 200,
  tokensIn: 12,
  tokensOut: 34,
  cost: 0.000123,
  customCost: false,
  step: 0,
  metadata: { team: "search", turn: 3, test: false },
  requestType: "chat",
  requestContentType: "application/json",
  responseContentType: "application/json",
  requestSize: 100,
  responseSize: 200,
  requestHead: '{"messages":[]}',
  requestHeadComplete: true,
  responseHead: "{",
  responseHeadComplete: false
}

// --- the binding, by hand ---------------------------------------------------------------------------------------------

class FakeLogNotFound extends Error {
  override readonly name = "AiGatewayLogNotFound"
}
class FakeInternalError extends Error {
  override readonly name = "AiGatewayInternalError"
}

interface Patched {
  readonly id: string
  readonly data: GatewayLogs.PatchData
}

const binding = (answer: (id: string) => unknown = () => ({ ...whole })) => {
  const asked: Array<string> = []
  const patched: Array<Patched> = []
  return {
    asked,
    patched,
    async getLog(id: string): Promise<unknown> {
      asked.push(id)
      return answer(id)
    },
    async patchLog(id: string, data: GatewayLogs.PatchData): Promise<void> {
      answer(id)
      patched.push({ id, data })
    }
  }
}

const throwing = (thrown: unknown) =>
  GatewayLogs.layerBinding(
    binding(() => {
      throw thrown
    })
  )

describe("reading an entry", () => {
  it.effect("over HTTPS one GET gives an entry with every field, and its metadata as values", () => {
    const server = api(() => good(whole))
    return Effect.gen(function* () {
      const { raw, ...entry } = yield* GatewayLogs.get(logId)
      assert.deepStrictEqual(entry, read as typeof entry)
      assert.deepStrictEqual(raw, whole)
      assert.lengthOf(server.asked, 1)
      assert.strictEqual(server.asked[0]?.method, "GET")
      assert.strictEqual(server.asked[0]?.url, `${logUrl}/${logId}`)
      assert.strictEqual(server.asked[0]?.headers.authorization, `Bearer ${token}`)
    }).pipe(Effect.provide(over(server)))
  })

  it.effect("the binding, which gives a Date and an object, gives the same entry", () => {
    const env = binding(() => ({
      ...whole,
      created_at: new Date(whole.created_at),
      metadata: JSON.parse(whole.metadata)
    }))
    return Effect.gen(function* () {
      const { raw, ...entry } = yield* GatewayLogs.get(logId)
      assert.deepStrictEqual(entry, read as typeof entry)
      assert.isObject(raw)
      assert.deepStrictEqual(env.asked, [logId])
    }).pipe(Effect.provide(GatewayLogs.layerBinding(env)))
  })

  it("null, missing and of another type are all the same: absent", () => {
    const nulls = Object.fromEntries(Object.keys(whole).map((key) => [key, null]))
    const others = Object.fromEntries(Object.keys(whole).map((key) => [key, [1]]))
    for (const given of [nulls, others, {}]) {
      const { raw, ...entry } = Either.getOrThrow(LogEntry.read({ ...given, id: logId }))
      assert.deepStrictEqual(
        Object.values(entry).filter((value) => value !== undefined),
        [logId]
      )
      assert.isObject(raw)
    }
    const odd = Either.getOrThrow(
      LogEntry.read({ id: logId, metadata: "no JSON", created_at: new Date("x") })
    )
    assert.isUndefined(odd.metadata)
    assert.isUndefined(odd.createdAt)
  })

  it("a field that this library does not know is in raw", () => {
    const entry = Either.getOrThrow(LogEntry.read({ id: logId, usage_metadata: { neurons: 3 } }))
    assert.deepNestedInclude(entry.raw, { usage_metadata: { neurons: 3 } })
  })

  it("whatever comes is an entry or a MalformedResponse, and an entry can be stored and read again", () => {
    const json = FastCheck.jsonValue()
    const record = FastCheck.record(
      Object.fromEntries(Object.keys(whole).map((key) => [key, FastCheck.oneof(json, FastCheck.string())])),
      { requiredKeys: [] }
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.oneof(json, record), (raw) => {
        const entry = LogEntry.read(raw)
        if (Either.isLeft(entry)) return assert.instanceOf(entry.left, Errors.MalformedResponse)
        const stored = JSON.parse(JSON.stringify(Schema.encodeSync(GatewayLogs.LogEntry)(entry.right)))
        const again = Schema.decodeUnknownSync(GatewayLogs.LogEntry)(stored)
        assert.strictEqual(again.id, entry.right.id)
        assert.deepStrictEqual(again.createdAt, entry.right.createdAt)
      })
    )
  })

  it.effect("an entry without an id is MalformedResponse, and its words are in no error", () => {
    const server = api(() => good({ request_head: "my secret prompt" }))
    return Effect.gen(function* () {
      const error = yield* Effect.flip(GatewayLogs.get(logId))
      assert.strictEqual(error._tag, "MalformedResponse")
      assert.notInclude(inspect(error, { depth: 9 }), "my secret prompt")
    }).pipe(Effect.provide(over(server)))
  })

  it.effect("an id is one segment of the path, whatever it is made of, on both transports", () => {
    const server = api(() => good(whole))
    const env = binding()
    const odd = "a/../b?c#d é"
    return Effect.gen(function* () {
      yield* GatewayLogs.get(odd).pipe(Effect.provide(over(server)))
      assert.strictEqual(server.asked[0]?.url, `${logUrl}/${encodeURIComponent(odd)}`)
      yield* GatewayLogs.get(odd).pipe(Effect.provide(GatewayLogs.layerBinding(env)))
      assert.deepStrictEqual(env.asked, [encodeURIComponent(odd)])
    })
  })

  it.effect("an id that is none fails before anything is sent", () => {
    const server = api(() => good(whole))
    const env = binding()
    return Effect.forEach(["", " ", ".", "..", "\ud800", undefined, 7], (id) =>
      Effect.forEach([over(server), GatewayLogs.layerBinding(env)], (layer) =>
        Effect.gen(function* () {
          for (const effect of [GatewayLogs.get(untyped(id)), GatewayLogs.patch(untyped(id), { score: 1 })]) {
            const error = yield* Effect.flip(effect)
            assert.strictEqual(error._tag, "InvalidRequest")
            assert.strictEqual((error as Errors.InvalidRequest).field, "logId")
          }
          assert.lengthOf(server.asked, 0)
          assert.lengthOf(env.asked, 0)
          assert.lengthOf(env.patched, 0)
        }).pipe(Effect.provide(layer))
      )
    )
  })
})

describe("feedback, score and metadata", () => {
  it.effect("go out in one PATCH, and to the binding as the same value", () => {
    const server = api(() => good({}))
    const env = binding()
    const given: GatewayLogs.Patch = {
      feedback: -1,
      score: 12.5,
      metadata: { reviewer: "Zoë", turn: 3, ok: true }
    }
    return Effect.gen(function* () {
      yield* GatewayLogs.patch(logId, given).pipe(Effect.provide(over(server)))
      assert.strictEqual(server.asked[0]?.method, "PATCH")
      assert.strictEqual(server.asked[0]?.url, `${logUrl}/${logId}`)
      assert.strictEqual(server.asked[0]?.headers["content-type"], "application/json")
      assert.deepStrictEqual(server.asked[0]?.body, given)
      yield* GatewayLogs.patch(logId, given).pipe(Effect.provide(GatewayLogs.layerBinding(env)))
      assert.deepStrictEqual(env.patched, [{ id: logId, data: given as GatewayLogs.PatchData }])
    })
  })

  it("scores from 0 to 100, feedback -1, 0 and 1, and null are accepted; 0 is sent as null", () => {
    const sent = (patch: GatewayLogs.Patch) => Either.getOrThrow(LogPatch.toData(patch))
    for (const score of [0, 0.5, 100, null]) assert.deepStrictEqual(sent({ score }), { score })
    for (const feedback of [-1, 1, null] as const) assert.deepStrictEqual(sent({ feedback }), { feedback })
    assert.deepStrictEqual(sent({ feedback: 0 }), { feedback: null })
    assert.deepStrictEqual(sent({ metadata: null }), { metadata: null })
    assert.deepStrictEqual(sent({ score: 1, feedback: undefined }), { score: 1 })
  })

  const six = Object.fromEntries(Array.from({ length: 6 }, (_, index) => [`k${index}`, index]))
  const wrong: ReadonlyArray<readonly [unknown, field: string]> = [
    [{ score: -0.1 }, "score"],
    [{ score: 100.1 }, "score"],
    [{ score: Number.NaN }, "score"],
    [{ score: "90" }, "score"],
    [{ score: 90n }, "score"],
    [{ feedback: 2 }, "feedback"],
    [{ feedback: 0.5 }, "feedback"],
    [{ feedback: "1" }, "feedback"],
    [{ feedback: true }, "feedback"],
    [{ metadata: six }, "metadata"],
    [{ metadata: {} }, "metadata"],
    [{ metadata: "text" }, "metadata"],
    [{ metadata: { nested: { a: 1 } } }, "metadata.nested"],
    [{ metadata: { none: null } }, "metadata.none"],
    [{ metadata: { big: 1n } }, "metadata.big"],
    [{ metadata: { nan: Number.NaN } }, "metadata.nan"],
    [{ metadata: { "": 1 } }, "metadata."],
    [{ rating: 5 }, "rating"],
    [{}, "patch"],
    [{ score: undefined }, "patch"],
    [null, "patch"],
    ["good", "patch"]
  ]

  it.effect("what is out of bounds fails with the field's name, and nothing is sent", () => {
    const server = api(() => good({}))
    const env = binding()
    return Effect.forEach(wrong, ([patch, field]) =>
      Effect.forEach([over(server), GatewayLogs.layerBinding(env)], (layer) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(GatewayLogs.patch(logId, untyped(patch)))
          assert.strictEqual(error._tag, "InvalidRequest", inspect(patch))
          assert.strictEqual((error as Errors.InvalidRequest).field, field)
          assert.lengthOf(server.asked, 0)
          assert.lengthOf(env.patched, 0)
        }).pipe(Effect.provide(layer))
      )
    )
  })

  it.effect("one call gives them to an answer, data-first and data-last", () => {
    const env = binding()
    const answer = { gateway: { logId } }
    return Effect.gen(function* () {
      yield* GatewayLogs.feedback(answer, { feedback: 1 })
      const got = yield* Effect.succeed(answer).pipe(Effect.tap(GatewayLogs.feedback({ score: 3 })))
      assert.strictEqual(got, answer)
      assert.deepStrictEqual(env.patched, [
        { id: logId, data: { feedback: 1 } },
        { id: logId, data: { score: 3 } }
      ])
    }).pipe(Effect.provide(GatewayLogs.layerBinding(env)))
  })

  it.effect("an answer that was not logged is LogNotFound, which says why that can be", () => {
    const env = binding()
    return Effect.gen(function* () {
      const answer = yield* ChatModel.make(TestModel.make(["hi"])).chat("hello")
      const error = yield* Effect.flip(GatewayLogs.feedback(answer, { feedback: 1 }))
      assert.instanceOf(error, Errors.LogNotFound)
      assert.include(error.message, "logging is off")
      assert.include(error.message, "run path")
      assert.lengthOf(env.patched, 0)
    }).pipe(Effect.provide(GatewayLogs.layerBinding(env)))
  })

  it("what cannot be does not compile", () => {
    // @ts-expect-error nothing is given
    never(() => GatewayLogs.patch(logId, {}))
    // @ts-expect-error no feedback
    never(() => GatewayLogs.patch(logId, { feedback: 2 }))
    // @ts-expect-error metadata are flat
    never(() => GatewayLogs.patch(logId, { metadata: { a: { b: 1 } } }))
    // @ts-expect-error no field
    never(() => GatewayLogs.patch(logId, { score: 1, rating: 5 }))
    // @ts-expect-error no answer
    never(() => GatewayLogs.feedback({ logId }, { score: 1 }))
  })
})

const failures: ReadonlyArray<
  readonly [
    name: string,
    answer: { readonly status?: number; readonly body?: unknown },
    tag: string,
    said: string
  ]
> = [
  ["a missing entry", bad(404, 7002, "Log not found"), "LogNotFound", "Log not found"],
  ["a 404 without words", { status: 404, body: {} }, "LogNotFound", logId],
  ["a missing gateway", bad(404, 7002, "Gateway not found"), "GatewayNotFound", "gatewayId"],
  ["a gateway's own 2001", bad(400, 2001, "Please configure AI Gateway"), "GatewayNotFound", "gatewayId"],
  ["a wrong account", bad(404, 7003, "Could not route to /accounts/x"), "GatewayNotFound", "accountId"],
  ["a wrong token", bad(401, 10000, "Authentication error"), "Unauthorized", "AI Gateway Edit"],
  [
    "a token without the permission",
    bad(403, 10000, "Authentication error"),
    "Unauthorized",
    "AI Gateway Read"
  ],
  ["a refused value", bad(400, 7001, "Invalid enum value"), "BadRequest", "Invalid enum value"],
  [
    "a refused number",
    bad(400, 7003, "Number must be less than or equal to 50"),
    "BadRequest",
    "Number must be"
  ],
  ["too many requests", bad(429, 971, "Please wait"), "RateLimited", "Please wait"],
  ["a server that is down", { status: 502, body: "bad gateway" }, "ProviderFailure", "api.cloudflare.com"],
  ["a failure in a success", { body: bad(0, 1234, "no luck").body }, "ProviderFailure", "no luck"],
  [
    "another server's page",
    { status: 404, body: "<html><h1>Not Found</h1></html>" },
    "BadRequest",
    "HTTP 404"
  ],
  ["another server's 404", { status: 404, body: "nothing here" }, "BadRequest", "baseUrl"],
  ["Cloudflare's edge", { status: 403, body: "error code: 1010" }, "Unauthorized", "edge"],
  ["HTML as a success", { body: "<html></html>" }, "MalformedResponse", "JSON"],
  ["an array as a success", { body: [] }, "MalformedResponse", "JSON"],
  ["an answer without an entry", { body: { success: true } }, "MalformedResponse", "entry"]
]

describe("what goes wrong over HTTPS is typed", () => {
  for (const [name, answer, tag, said] of failures) {
    it.effect(`${name}: ${tag}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(GatewayLogs.get(logId))
        assert.strictEqual(error._tag, tag, error.message)
        assert.include(error.message, said)
        assert.isTrue(Errors.isAiGatewayError(error))
      }).pipe(Effect.provide(over(api(() => answer))))
    )
  }

  it.effect("a missing entry says which it was, also to who patches it", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(GatewayLogs.patch(logId, { score: 1 }))
      assert.instanceOf(error, Errors.LogNotFound)
      assert.strictEqual((error as Errors.LogNotFound).logId, logId)
      assert.strictEqual((error as Errors.LogNotFound).status, 404)
    }).pipe(Effect.provide(over(api(() => bad(404, 7002, "Log not found")))))
  )

  it.effect("no connection is TransportFailure, and the token is in no error", () => {
    const dead = HttpClient.make((request) =>
      Effect.fail(
        new HttpClientError.RequestError({
          request,
          reason: "Transport",
          cause: new Error(`cannot send ${token}`)
        })
      )
    )
    return Effect.gen(function* () {
      const error = yield* Effect.flip(GatewayLogs.get(logId))
      assert.strictEqual(error._tag, "TransportFailure")
      assert.include(error.message, "cannot send")
      assert.notInclude(inspect(error, { depth: 9 }), token)
      assert.notInclude(JSON.stringify(error), token)
    }).pipe(
      Effect.provide(
        GatewayLogs.layer(settings).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, dead)))
      )
    )
  })

  it.effect("a server that quotes the token, in a refusal or a success, is not repeated", () =>
    Effect.forEach(
      [
        bad(400, 7001, `Bearer ${token}`),
        { body: bad(0, 1234, token).body },
        { body: token },
        { status: 500, body: token }
      ],
      (answer) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(GatewayLogs.get(logId))
          assert.notInclude(inspect(error, { depth: 9 }), token)
          assert.notInclude(JSON.stringify(error), token)
        }).pipe(Effect.provide(over(api(() => answer))))
    )
  )

  it.effect(
    "an entry that comes a moment later is found by a retry of the caller's, and nothing is retried before",
    () => {
      const server = api(() => (server.asked.length < 3 ? bad(404, 7002, "Log not found") : good(whole)))
      return Effect.gen(function* () {
        yield* Effect.flip(GatewayLogs.get(logId))
        assert.lengthOf(server.asked, 1)
        const fiber = yield* Effect.fork(
          GatewayLogs.get(logId).pipe(
            Effect.retry({
              schedule: Schedule.exponential("1 second"),
              times: 3,
              while: (error) => error._tag === "LogNotFound"
            })
          )
        )
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual((yield* Fiber.join(fiber)).id, logId)
        assert.lengthOf(server.asked, 3)
      }).pipe(Effect.provide(over(server)))
    }
  )

  it.live("an interrupted call closes its connection", () =>
    Effect.gen(function* () {
      const began = yield* Deferred.make<void>()
      let cancelled = false
      const hanging = HttpClient.make((request) =>
        Effect.as(
          Deferred.succeed(began, undefined),
          HttpClientResponse.fromWeb(
            request,
            new Response(
              new ReadableStream({
                cancel() {
                  cancelled = true
                }
              })
            )
          )
        )
      )
      const fiber = yield* Effect.fork(
        GatewayLogs.get(logId).pipe(
          Effect.provide(
            GatewayLogs.layer(settings).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, hanging)))
          )
        )
      )
      yield* Deferred.await(began)
      yield* Effect.sleep("20 millis")
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
      assert.isTrue(cancelled)
    })
  )
})

describe("what goes wrong through the binding is typed", () => {
  const thrown: ReadonlyArray<readonly [name: string, thrown: unknown, tag: string, said: string]> = [
    ["Cloudflare's own error", new FakeLogNotFound("Log not found"), "LogNotFound", "Log not found"],
    ["its error without words", new FakeLogNotFound(""), "LogNotFound", logId],
    [
      "its error over RPC",
      new Error("AiGatewayLogNotFound: Log not found"),
      "LogNotFound",
      '"Log not found"'
    ],
    ["a gateway that is not there", new FakeLogNotFound("Gateway not found"), "GatewayNotFound", "gatewayId"],
    ["an internal error", new FakeInternalError("Internal Error"), "ProviderFailure", "Internal Error"],
    [
      "a body that the binding cannot read",
      new FakeInternalError(
        JSON.stringify({ success: false, error: [{ code: 2001, message: "Please configure AI Gateway" }] })
      ),
      "GatewayNotFound",
      "gatewayId"
    ],
    [
      "an edge's page",
      new FakeInternalError("<html><title>502 Bad Gateway</title></html>"),
      "ProviderFailure",
      ""
    ],
    [
      "no connection",
      new TypeError("Network connection lost."),
      "TransportFailure",
      "Network connection lost."
    ],
    ["a text", "out of order", "TransportFailure", "out of order"],
    ["nothing", undefined, "TransportFailure", ""]
  ]
  for (const [name, reason, tag, said] of thrown) {
    it.effect(`${name}: ${tag}`, () =>
      Effect.gen(function* () {
        for (const effect of [GatewayLogs.get(logId), GatewayLogs.patch(logId, { score: 1 })]) {
          const error = yield* Effect.flip(effect)
          assert.strictEqual(error._tag, tag, error.message)
          assert.include(error.message, said)
        }
      }).pipe(Effect.provide(throwing(reason)))
    )
  }

  it.effect("an answer that is no entry is MalformedResponse", () =>
    Effect.forEach([undefined, null, "<html>", {}], (answer) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip(GatewayLogs.get(logId)))._tag, "MalformedResponse")
      }).pipe(Effect.provide(GatewayLogs.layerBinding(binding(() => answer))))
    )
  )

  it.effect("a method that throws at once, or promises nothing, is no defect", () => {
    const odd = {
      getLog: (): never => {
        throw new Error("detached")
      },
      patchLog: (): PromiseLike<void> => untyped(undefined)
    }
    return Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(GatewayLogs.get(logId)))._tag, "TransportFailure")
      yield* GatewayLogs.patch(logId, { score: 1 })
    }).pipe(Effect.provide(GatewayLogs.layerBinding(odd)))
  })

  it.effect("a reason that throws at any touch", () =>
    Effect.gen(function* () {
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      const reject = () => Promise.reject(proxy)
      const error = yield* GatewayLogs.get("log-1").pipe(
        Effect.provide(GatewayLogs.layerBinding({ getLog: reject, patchLog: reject })),
        Effect.flip
      )
      assert.strictEqual(error._tag, "TransportFailure")
    })
  )

  it.live("a binding that hangs can be interrupted", () => {
    const hanging = { getLog: () => new Promise(() => {}), patchLog: () => new Promise<void>(() => {}) }
    return Effect.gen(function* () {
      for (const effect of [GatewayLogs.get(logId), GatewayLogs.patch(logId, { score: 1 })]) {
        assert.isTrue(Option.isNone(yield* Effect.timeoutOption(effect, "20 millis")))
      }
    }).pipe(Effect.provide(GatewayLogs.layerBinding(hanging)))
  })

  const strangers: ReadonlyArray<readonly [name: string, given: unknown, said: string]> = [
    ["none", undefined, "env.AI.gateway(id) is missing"],
    ["null", null, "is missing"],
    ["env.AI", { run: () => {}, gateway: () => {}, models: () => {} }, "This is env.AI itself"],
    ["the gateway's name", "my-gateway", "This is a text"],
    ["a wrapper that has run alone", { run: () => {} }, "no getLog and patchLog"],
    ["half of it", { getLog: () => {} }, "no getLog and patchLog"]
  ]
  for (const [name, given, said] of strangers) {
    it.effect(`a binding that is ${name} fails the layer, and says what to give`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Layer.build(GatewayLogs.layerBinding(untyped(given))))
        assert.instanceOf(error, Errors.InvalidRequest)
        assert.strictEqual(error.field, "binding")
        assert.include(error.message, said)
      }).pipe(Effect.scoped)
    )
  }

  it("who lists or removes does not compile with a binding", () => {
    const Logs = GatewayLogs.layerBinding(binding())
    const run = <A, E>(_effect: Effect.Effect<A, E>): void => {}
    never(() => run(GatewayLogs.get(logId).pipe(Effect.provide(Logs))))
    // @ts-expect-error LogIndex is missing
    never(() => run(Stream.runCollect(GatewayLogs.list()).pipe(Effect.provide(Logs))))
    // @ts-expect-error LogIndex is missing
    never(() => run(GatewayLogs.remove({ id: logId }).pipe(Effect.provide(Logs))))
  })
})

/** A log of so many entries, in pages as they are asked for. */
const log = (total: number, info: (page: number, perPage: number, count: number) => object | undefined) =>
  api((asked) => {
    const { page, per_page } = queryOf(asked)
    const from = (Number(page) - 1) * Number(per_page)
    const rows = Array.from({ length: total }, (_, index) => row(`log-${index}`)).slice(
      from,
      from + Number(per_page)
    )
    return good(rows, { result_info: info(Number(page), Number(per_page), rows.length) })
  })

const live = (total: number) =>
  log(total, (page, per_page, count) => ({ count, page, per_page, total_count: total }))

const collect = (query?: GatewayLogs.Query) =>
  Effect.map(Stream.runCollect(GatewayLogs.list(query)), (entries) =>
    Chunk.toReadonlyArray(entries).map(({ id }) => id)
  )

const ids = (total: number) => Array.from({ length: total }, (_, index) => `log-${index}`)

describe("listing", () => {
  it.effect("all pages come as one stream, one request each, and no request is made after the last", () => {
    const server = live(120)
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* collect(), ids(120))
      assert.deepStrictEqual(server.asked.map(queryOf), [
        { page: "1", per_page: "50" },
        { page: "2", per_page: "50" },
        { page: "3", per_page: "50" }
      ])
      assert.isTrue(server.asked.every(({ url, method }) => method === "GET" && url.startsWith(`${logUrl}?`)))
    }).pipe(Effect.provide(over(server)))
  })

  it.effect("who takes ten entries pays for one page, and who takes one more than a page for two", () => {
    const server = live(1000)
    return Effect.gen(function* () {
      const taken = yield* Stream.runCollect(Stream.take(GatewayLogs.list({ pageSize: 10 }), 10))
      assert.lengthOf(taken, 10)
      assert.lengthOf(server.asked, 1)
      yield* Stream.runDrain(Stream.take(GatewayLogs.list({ pageSize: 10 }), 11))
      assert.lengthOf(server.asked, 3)
    }).pipe(Effect.provide(over(server)))
  })

  it.effect("the next page is not asked for before this one is used up", () => {
    const server = live(30)
    return Effect.gen(function* () {
      const seen: Array<number> = []
      yield* Stream.runForEach(GatewayLogs.list({ pageSize: 10 }), () =>
        Effect.sync(() => void seen.push(server.asked.length))
      )
      assert.deepStrictEqual(seen, [...Array(10).fill(1), ...Array(10).fill(2), ...Array(10).fill(3)])
    }).pipe(Effect.provide(over(server)))
  })

  it.effect("a last page that is full ends by the server's word, whether it counts entries or pages", () =>
    Effect.forEach([live(20), log(20, () => ({ total_pages: 2 }))], (server) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* collect({ pageSize: 10 }), ids(20))
        assert.lengthOf(server.asked, 2)
      }).pipe(Effect.provide(over(server)))
    )
  )

  it.effect("without result_info an empty page is the end", () => {
    const server = log(20, () => undefined)
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* collect({ pageSize: 10 }), ids(20))
      assert.lengthOf(server.asked, 3)
    }).pipe(Effect.provide(over(server)))
  })

  it.effect("a gateway without entries gives none, whether as an empty list or as null", () =>
    Effect.forEach([good([]), good(null), good(undefined)], (answer) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* collect(), [])
      }).pipe(Effect.provide(over(api(() => answer))))
    )
  )

  it.effect(
    "a server that gives the same page again, and counts nothing, is asked once more and no further",
    () => {
      const server = api(() => good(ids(3).map((id) => row(id))))
      return Effect.gen(function* () {
        assert.deepStrictEqual(yield* collect(), ids(3))
        assert.lengthOf(server.asked, 2)
      }).pipe(Effect.provide(over(server)))
    }
  )

  it.effect(
    "a server that gives the same page again, and says that there is more, fails: the rest is not hidden",
    () => {
      const server = api(() =>
        good(
          ids(3).map((id) => row(id)),
          { result_info: { total_count: 845 } }
        )
      )
      return Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip(collect()))._tag, "MalformedResponse")
        assert.lengthOf(server.asked, 3)
      }).pipe(Effect.provide(over(server)))
    }
  )

  it.effect("entries that shift onto the next page while the log grows are given once", () => {
    let newer = 0
    const server = api((asked) => {
      const { page, per_page } = queryOf(asked)
      const all = [...Array.from({ length: newer }, (_, index) => `new-${index}`), ...ids(25)]
      newer += 3
      const from = (Number(page) - 1) * Number(per_page)
      const rows = all.slice(from, from + Number(per_page)).map((id) => row(id))
      return good(rows, { result_info: { total_count: all.length } })
    })
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* collect({ pageSize: 10 }), ids(25))
    }).pipe(Effect.provide(over(server)))
  })

  it.effect("a page that fails comes after the entries before it", () => {
    const server = api((asked) =>
      queryOf(asked).page === "1"
        ? good([row("log-0")], { result_info: { total_count: 99 } })
        : bad(429, 971, "wait")
    )
    return Effect.gen(function* () {
      const seen: Array<string> = []
      const error = yield* Effect.flip(
        Stream.runForEach(GatewayLogs.list(), ({ id }) => Effect.sync(() => void seen.push(id)))
      )
      assert.strictEqual(error._tag, "RateLimited")
      assert.deepStrictEqual(seen, ["log-0"])
    }).pipe(Effect.provide(over(server)))
  })

  it.effect("a gateway that is not there is GatewayNotFound, whatever the 404 says", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(collect()))._tag, "GatewayNotFound")
    }).pipe(Effect.provide(over(api(() => bad(404, 7002, "Not Found")))))
  )

  it.effect("a list that is none, and an entry without an id, are MalformedResponse", () =>
    Effect.forEach([good({}), good("x"), good([row("a"), { model: "x" }])], (answer) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip(collect()))._tag, "MalformedResponse")
      }).pipe(Effect.provide(over(api(() => answer))))
    )
  )

  it.effect(
    "filters, order and search go out as Cloudflare calls them, the filters as one JSON array",
    () => {
      const server = api(() => good([]))
      return Effect.gen(function* () {
        yield* collect({
          filters: [
            { field: "provider", is: "eq", value: ["openai", "groq"] },
            { field: "tokensIn", is: "gt", value: 1000 },
            { field: "success", is: "eq", value: false },
            { field: "createdAt", is: "lt", value: new Date("2026-11-24T15:00:00Z") },
            { field: "metadataValue", is: "contains", value: "a&b=c +é" },
            { field: "feedback", is: "neq", value: -1 }
          ],
          order: "createdAt",
          direction: "asc",
          search: "50 % + more",
          pageSize: 7
        })
        const { filters, ...query } = queryOf(server.asked[0])
        assert.deepStrictEqual(query, {
          page: "1",
          per_page: "7",
          order_by: "created_at",
          order_by_direction: "asc",
          search: "50 % + more"
        })
        assert.deepStrictEqual(JSON.parse(filters ?? ""), [
          { key: "provider", operator: "eq", value: ["openai", "groq"] },
          { key: "tokens_in", operator: "gt", value: [1000] },
          { key: "success", operator: "eq", value: [false] },
          { key: "created_at", operator: "lt", value: ["2026-11-24T15:00:00.000Z"] },
          { key: "metadata.value", operator: "contains", value: ["a&b=c +é"] },
          { key: "feedback", operator: "neq", value: [-1] }
        ])
      }).pipe(Effect.provide(over(server)))
    }
  )

  it("whatever text is looked for comes out of the query as it went in", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(FastCheck.string({ minLength: 1, maxLength: 9, unit: "binary" }), {
          minLength: 1,
          maxLength: 4
        }),
        (values) => {
          const json = Either.getOrThrow(LogFilter.toJson([{ field: "model", is: "eq", value: values }]))
          const query = new URLSearchParams([["filters", json]]).toString()
          assert.deepStrictEqual(JSON.parse(new URLSearchParams(query).get("filters") ?? ""), [
            { key: "model", operator: "eq", value: values }
          ])
        }
      )
    )
  })

  const wrong: ReadonlyArray<readonly [query: unknown, field: string]> = [
    [{ pageSize: 0 }, "pageSize"],
    [{ pageSize: 51 }, "pageSize"],
    [{ pageSize: 1.5 }, "pageSize"],
    [{ order: "cost" }, "order"],
    [{ order: "toString" }, "order"],
    [{ direction: "up" }, "direction"],
    [{ search: 7 }, "search"],
    [{ page: 2 }, "page"],
    [{ filters: {} }, "filters"],
    [{ filters: ["provider"] }, "filters[0]"],
    [{ filters: [{ field: "toString", is: "eq", value: "x" }] }, "filters[0].field"],
    [{ filters: [{ field: "provider", is: "gt", value: "x" }] }, "filters[0].is"],
    [{ filters: [{ field: "provider", is: "eq", value: [] }] }, "filters[0].value"],
    [{ filters: [{ field: "provider", is: "eq", value: "" }] }, "filters[0].value"],
    [{ filters: [{ field: "provider", is: "eq", value: ["x", 7] }] }, "filters[0].value"],
    [{ filters: [{ field: "success", is: "eq", value: "false" }] }, "filters[0].value"],
    [{ filters: [{ field: "cost", is: "gt", value: Number.NaN }] }, "filters[0].value"],
    [
      {
        filters: [
          { field: "cached", is: "eq", value: true },
          { field: "createdAt", is: "lt", value: new Date("x") }
        ]
      },
      "filters[1].value"
    ]
  ]

  it.effect("a query that is wrong fails with the field's name, and nothing is sent", () => {
    const server = api(() => good([]))
    return Effect.forEach(wrong, ([query, field]) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(collect(untyped(query)))
        assert.strictEqual(error._tag, "InvalidRequest", inspect(query))
        assert.strictEqual((error as Errors.InvalidRequest).field, field)
        assert.lengthOf(server.asked, 0)
      })
    ).pipe(Effect.provide(over(server)))
  })

  it("filters that make no sense do not compile", () => {
    const filters = (_filters: ReadonlyArray<GatewayLogs.Filter>): void => {}
    // @ts-expect-error a number is looked for in text
    never(() => filters([{ field: "provider", is: "eq", value: 7 }]))
    // @ts-expect-error text is not greater
    never(() => filters([{ field: "provider", is: "gt", value: "a" }]))
    // @ts-expect-error a number contains nothing
    never(() => filters([{ field: "cost", is: "contains", value: 1 }]))
    // @ts-expect-error a moment is a Date
    never(() => filters([{ field: "createdAt", is: "gt", value: "2026-11-24" }]))
    // @ts-expect-error no two moments are equal
    never(() => filters([{ field: "createdAt", is: "eq", value: new Date() }]))
    // @ts-expect-error no field
    never(() => filters([{ field: "metadata.team", is: "eq", value: "search" }]))
    // @ts-expect-error none of several
    never(() => filters([{ field: "model", is: "eq", value: [] }]))
  })
})

describe("removing", () => {
  it.effect("one entry, by its id, is looked for and then removed, and no more than one is lost", () => {
    const server = api(({ method }) => (method === "GET" ? good(whole) : { body: { success: true } }))
    return Effect.gen(function* () {
      yield* GatewayLogs.remove({ id: logId })
      assert.deepStrictEqual(
        server.asked.map(({ method }) => method),
        ["GET", "DELETE"]
      )
      const { filters, ...query } = queryOf(server.asked[1])
      assert.deepStrictEqual(query, { limit: "1" })
      assert.deepStrictEqual(JSON.parse(filters ?? ""), [{ key: "id", operator: "eq", value: [logId] }])
    }).pipe(Effect.provide(over(server)))
  })

  it.effect("an entry that is not there is LogNotFound, and nothing is removed", () => {
    const server = api(() => bad(404, 7002, "Log not found"))
    return Effect.gen(function* () {
      const error = yield* Effect.flip(GatewayLogs.remove({ id: logId }))
      assert.strictEqual(error._tag, "LogNotFound")
      assert.lengthOf(server.asked, 1)
      assert.strictEqual(server.asked[0]?.method, "GET")
    }).pipe(Effect.provide(over(server)))
  })

  it.effect("those that fit filters go in one DELETE", () => {
    const server = api(() => ({ body: { success: true } }))
    return Effect.gen(function* () {
      yield* GatewayLogs.remove({
        filters: [{ field: "cached", is: "eq", value: true }],
        limit: 100,
        order: "cost",
        direction: "desc"
      })
      assert.lengthOf(server.asked, 1)
      assert.strictEqual(server.asked[0]?.method, "DELETE")
      const { filters, ...query } = queryOf(server.asked[0])
      assert.deepStrictEqual(query, { limit: "100", order_by: "cost", order_by_direction: "desc" })
      assert.deepStrictEqual(JSON.parse(filters ?? ""), [{ key: "cached", operator: "eq", value: [true] }])
    }).pipe(Effect.provide(over(server)))
  })

  it.effect("everything is removed only where that is said", () => {
    const server = api(() => ({ body: "" }))
    return Effect.gen(function* () {
      yield* GatewayLogs.remove({ all: true })
      assert.strictEqual(server.asked[0]?.url, logUrl)
      assert.strictEqual(server.asked[0]?.method, "DELETE")
    }).pipe(Effect.provide(over(server)))
  })

  const wrong: ReadonlyArray<readonly [removal: unknown, field: string]> = [
    [{}, "removal"],
    [undefined, "removal"],
    [{ filters: undefined }, "removal"],
    [{ filters: [] }, "filters"],
    [{ filters: [{ field: "model", is: "eq" }] }, "filters[0].value"],
    [{ all: false }, "all"],
    [{ all: true, filters: [] }, "removal"],
    [{ id: "", all: undefined }, "id"],
    [{ id: "..", all: undefined }, "id"],
    [{ id: logId, all: true }, "removal"],
    [{ id: logId, limit: 3 }, "id"],
    [{ all: true, limit: 0 }, "limit"],
    [{ all: true, order: "id" }, "order"],
    [{ all: true, filter: [] }, "filter"]
  ]

  it.effect("a removal that does not say what to remove is InvalidRequest, and nothing is sent", () => {
    const server = api(() => good(whole))
    return Effect.forEach(wrong, ([removal, field]) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(GatewayLogs.remove(untyped(removal)))
        assert.strictEqual(error._tag, "InvalidRequest", inspect(removal))
        assert.strictEqual((error as Errors.InvalidRequest).field, field)
        assert.lengthOf(server.asked, 0)
      })
    ).pipe(Effect.provide(over(server)))
  })

  it("removing nothing in particular does not compile", () => {
    // @ts-expect-error an empty list is everything
    never(() => GatewayLogs.remove({ filters: [] }))
    // @ts-expect-error nothing is said
    never(() => GatewayLogs.remove({}))
    // @ts-expect-error one or all
    never(() => GatewayLogs.remove({ id: logId, all: true }))
    // @ts-expect-error one has no limit
    never(() => GatewayLogs.remove({ id: logId, limit: 2 }))
  })
})

describe("settings", () => {
  const wrong: ReadonlyArray<readonly [settings: unknown, field: string]> = [
    [{ token: settings.token }, "accountId"],
    [{ ...settings, accountId: "a/b" }, "accountId"],
    [{ ...settings, gatewayId: "" }, "gatewayId"],
    [{ accountId: "acct" }, "token"],
    [{ ...settings, token: Redacted.make("") }, "token"],
    [{ ...settings, token: Redacted.make("a b") }, "token"],
    [{ ...settings, token: "bare text" }, "token"],
    [{ ...settings, baseUrl: "ftp://x" }, "baseUrl"],
    [{ ...settings, headers: { "x-bad": "a\nb" } }, "headers.x-bad"]
  ]
  it.effect("one that is missing or wrong fails the layer with its name", () =>
    Effect.forEach(wrong, ([given, field]) =>
      Effect.gen(function* () {
        const layer = GatewayLogs.layer(untyped(given)).pipe(Layer.provide(api(() => good([])).client))
        const error = yield* Effect.flip(Layer.build(layer))
        assert.strictEqual(error.field, field)
      }).pipe(Effect.scoped)
    )
  )

  it.effect("can come from Config, and the gateway is default where none is named", () => {
    const server = api(() => good(whole))
    const Logs = GatewayLogs.layerConfig({
      accountId: Config.string("ACCOUNT"),
      token: Config.redacted("TOKEN"),
      headers: { "x-more": "1" }
    }).pipe(
      Layer.provide(server.client),
      Layer.provide(
        Layer.setConfigProvider(
          ConfigProvider.fromMap(
            new Map([
              ["ACCOUNT", "acct"],
              ["TOKEN", token]
            ])
          )
        )
      )
    )
    return Effect.gen(function* () {
      yield* GatewayLogs.get(logId)
      assert.include(server.asked[0]?.url, "/gateways/default/logs/")
      assert.strictEqual(server.asked[0]?.headers["x-more"], "1")
      assert.strictEqual(server.asked[0]?.headers.authorization, `Bearer ${token}`)
    }).pipe(Effect.provide(Logs))
  })

  it.effect("make and makeBinding give the services without a layer", () => {
    const server = api(() => good(whole))
    return Effect.gen(function* () {
      const logs = yield* GatewayLogs.make(settings)
      assert.strictEqual((yield* logs.get(logId)).id, logId)
      assert.strictEqual(logs.transport, "account")
      const bound = yield* GatewayLogs.makeBinding(binding())
      assert.strictEqual((yield* bound.get(logId)).id, logId)
      assert.strictEqual(bound.transport, "binding")
    }).pipe(Effect.provide(server.client))
  })
})

interface Recorded {
  readonly name: string
  readonly kind: Tracer.SpanKind
  readonly attributes: Record<string, unknown>
}

const recording = (spans: Array<Recorded>): Tracer.Tracer =>
  Tracer.make({
    context: (f) => f(),
    span: (name, parent, context: Context.Context<never>, links, startTime, kind) => {
      const attributes: Record<string, unknown> = {}
      spans.push({ name, kind, attributes })
      return {
        _tag: "Span",
        name,
        spanId: `${spans.length}`,
        traceId: "trace",
        parent,
        context,
        status: { _tag: "Started", startTime },
        attributes: new Map(),
        links,
        sampled: true,
        kind,
        end: () => {},
        attribute: (key, value) => {
          attributes[key] = value
        },
        event: () => {},
        addLinks: () => {}
      }
    }
  })

describe("spans", () => {
  it.effect(
    "one per operation, with the entry's id, the error's type, and no word of prompts or feedback",
    () => {
      const spans: Array<Recorded> = []
      const server = api(({ url, method }) =>
        url.endsWith("/gone")
          ? bad(404, 7002, "Log not found")
          : url.includes("?") && method === "GET"
            ? good([row("a")])
            : good({ ...whole, request_head: "my secret prompt" })
      )
      return Effect.gen(function* () {
        yield* GatewayLogs.get(logId)
        yield* Effect.flip(GatewayLogs.get("gone"))
        yield* GatewayLogs.feedback({ gateway: { logId } }, { metadata: { note: "my secret note" } })
        yield* collect()
        yield* GatewayLogs.remove({ id: logId })
        yield* GatewayLogs.get(logId).pipe(Effect.provide(GatewayLogs.layerBinding(binding())))
        assert.deepStrictEqual(spans, [
          { name: "GatewayLogs.get", kind: "client", attributes: { "cloudflare.ai_gateway.log_id": logId } },
          {
            name: "GatewayLogs.get",
            kind: "client",
            attributes: { "cloudflare.ai_gateway.log_id": "gone", "error.type": "LogNotFound" }
          },
          {
            name: "GatewayLogs.patch",
            kind: "client",
            attributes: { "cloudflare.ai_gateway.log_id": logId }
          },
          { name: "GatewayLogs.list", kind: "client", attributes: {} },
          {
            name: "GatewayLogs.remove",
            kind: "client",
            attributes: { "cloudflare.ai_gateway.log_id": logId }
          },
          { name: "GatewayLogs.get", kind: "client", attributes: { "cloudflare.ai_gateway.log_id": logId } }
        ])
      }).pipe(
        Effect.provide(over(server)),
        Effect.withTracer(recording(spans)),
        Effect.withTracerEnabled(true)
      )
    }
  )
})

// --- the local gateway ------------------------------------------------------------------------------------------------

const local = { accountId: "local-account", gatewayId: "local-gateway", token: Redacted.make("local-token") }

/** A gateway, its models, and its log over the same client. */
const localGateway = GatewayLogs.layer(local).pipe(
  Layer.provideMerge(Layer.merge(OpenAi.layer(), LocalGateway.layerTest()))
)

const gpt = OpenAi.model("gpt-5-mini")

describe("against the local gateway", () => {
  it.effect("an answer is given feedback, found, and removed", () =>
    Effect.gen(function* () {
      const answer = yield* gpt.chat("hello")
      yield* GatewayLogs.feedback(answer, { feedback: 1, score: 90, metadata: { reviewer: "ann" } })
      const gateway = yield* LocalGateway.Gateway
      assert.deepInclude(gateway.logs()[0], { feedback: 1, score: 90, metadata: { reviewer: "ann" } })
      const id = answer.gateway.logId ?? ""
      const entry = yield* GatewayLogs.get(id)
      assert.strictEqual(entry.provider, "openai")
      assert.strictEqual(entry.model, "gpt-5-mini")
      assert.strictEqual(entry.statusCode, 200)
      assert.deepStrictEqual(entry.metadata, { reviewer: "ann" })
      assert.include(entry.requestHead, "hello")
      assert.instanceOf(entry.createdAt, Date)
      yield* GatewayLogs.remove({ id })
      assert.strictEqual((yield* Effect.flip(GatewayLogs.get(id)))._tag, "LogNotFound")
      assert.strictEqual((yield* Effect.flip(GatewayLogs.remove({ id })))._tag, "LogNotFound")
      assert.strictEqual((yield* Effect.flip(GatewayLogs.feedback(answer, { score: 1 })))._tag, "LogNotFound")
    }).pipe(Effect.provide(localGateway))
  )

  it.effect("the first event of a stream can be given feedback", () =>
    Effect.gen(function* () {
      const [start] = Chunk.toReadonlyArray(yield* Stream.runCollect(Stream.take(gpt.streamChat("hello"), 1)))
      if (start?._tag !== "Start") return assert.fail("no Start")
      yield* GatewayLogs.feedback(start, { feedback: -1 })
      const gateway = yield* LocalGateway.Gateway
      assert.strictEqual(gateway.logs()[0]?.feedback, -1)
    }).pipe(Effect.provide(localGateway))
  )

  it.effect("an answer that was asked for without a log is LogNotFound", () =>
    Effect.gen(function* () {
      const answer = yield* gpt.chat("hello").pipe(AiGateway.withOptions({ collectLog: false }))
      assert.strictEqual((yield* Effect.flip(GatewayLogs.feedback(answer, { score: 1 })))._tag, "LogNotFound")
    }).pipe(Effect.provide(localGateway))
  )

  it.effect("entries are listed in pages, filtered, searched, ordered, and removed by filters", () =>
    Effect.gen(function* () {
      yield* Effect.forEach(Array.from({ length: 7 }), (_, index) =>
        gpt
          .chat(`question ${index}`)
          .pipe(AiGateway.withOptions({ metadata: { turn: index, team: index < 3 ? "search" : "ads" } }))
      )
      const turns = (query: GatewayLogs.Query) =>
        Effect.map(Stream.runCollect(GatewayLogs.list(query)), (entries) =>
          Chunk.toReadonlyArray(entries).map(({ metadata }) => metadata?.turn)
        )
      assert.deepStrictEqual(
        yield* turns({ pageSize: 3, order: "createdAt", direction: "asc" }),
        [0, 1, 2, 3, 4, 5, 6]
      )
      const search = { field: "metadataValue", is: "eq", value: "search" } as const
      assert.sameMembers([...(yield* turns({ filters: [search], pageSize: 2 }))], [0, 1, 2])
      assert.sameMembers([...(yield* turns({ search: "ads" }))], [3, 4, 5, 6])
      assert.deepStrictEqual(
        yield* turns({ filters: [search, { field: "tokensIn", is: "gt", value: 1e6 }] }),
        []
      )
      assert.lengthOf(yield* turns({ filters: [{ field: "createdAt", is: "gt", value: new Date(-1) }] }), 7)
      yield* GatewayLogs.remove({ filters: [search], limit: 2 })
      assert.lengthOf(yield* turns({}), 5)
      yield* GatewayLogs.remove({ all: true })
      assert.lengthOf(yield* turns({}), 0)
    }).pipe(Effect.provide(localGateway))
  )

  it.effect("a wrong token, gateway or account is told by name", () =>
    Effect.gen(function* () {
      const given = (more: object) =>
        Effect.flip(GatewayLogs.get("x")).pipe(Effect.provide(GatewayLogs.layer({ ...local, ...more })))
      const refused = yield* given({ token: Redacted.make("another-token") })
      assert.deepInclude(refused, { _tag: "Unauthorized", source: "gateway", code: 10000 })
      assert.strictEqual((yield* given({ gatewayId: "nobody" }))._tag, "GatewayNotFound")
      assert.strictEqual((yield* given({ accountId: "nobody" }))._tag, "GatewayNotFound")
      assert.strictEqual((yield* given({}))._tag, "LogNotFound")
    }).pipe(Effect.provide(LocalGateway.layer()))
  )

  it.effect("a patch that a binding would send is the one that the local gateway's binding takes", () =>
    Effect.gen(function* () {
      const gateway = yield* LocalGateway.Gateway
      const answer = yield* gpt.chat("hello")
      // What Cloudflare's own code does, on the wire of the local gateway.
      const ask = async (method: string, id: string, data?: object) => {
        const url = `https://workers-binding.ai/ai-gateway/gateways/local-gateway/logs/${id}`
        const body = data === undefined ? {} : { body: JSON.stringify(data) }
        const response = await gateway.handle(
          new Request(url, { method, headers: { "content-type": "application/json" }, ...body })
        )
        const json = untyped<{ result: object; errors: [{ message: string }] }>(await response.json())
        if (response.status === 404) throw new FakeLogNotFound(json.errors[0].message)
        if (response.status !== 200) throw new FakeInternalError(json.errors[0].message)
        return json.result
      }
      const env: GatewayLogs.LogBinding = {
        getLog: (id) => ask("GET", id),
        patchLog: async (id, data) => void (await ask("PATCH", id, data))
      }
      yield* Effect.gen(function* () {
        yield* GatewayLogs.feedback(answer, { feedback: 1, score: 5, metadata: { a: true } })
        assert.deepInclude(gateway.logs()[0], { feedback: 1, score: 5, metadata: { a: true } })
        yield* GatewayLogs.feedback(answer, { feedback: 0, score: null, metadata: null })
        assert.deepInclude(gateway.logs()[0], { feedback: undefined, score: undefined, metadata: {} })
        assert.strictEqual((yield* GatewayLogs.get(answer.gateway.logId ?? "")).model, "gpt-5-mini")
        assert.strictEqual((yield* Effect.flip(GatewayLogs.get("gone")))._tag, "LogNotFound")
      }).pipe(Effect.provide(GatewayLogs.layerBinding(env)))
    }).pipe(Effect.provide(localGateway))
  )

  it.live("over a real socket it is the same", () =>
    Effect.gen(function* () {
      const { baseUrl, url, gateway } = yield* LocalGatewayServer.start(LocalGateway.make())
      const Gateway = AiGateway.layer({ ...local, baseUrl })
      const Logs = GatewayLogs.layer({ ...local, baseUrl: `${url}/client/v4` })
      yield* Effect.gen(function* () {
        const answer = yield* gpt.chat("hello")
        yield* GatewayLogs.feedback(answer, { score: 100 })
        assert.strictEqual(gateway.logs()[0]?.score, 100)
        const entries = yield* Stream.runCollect(GatewayLogs.list({ pageSize: 1 }))
        assert.deepStrictEqual(
          Chunk.toReadonlyArray(entries).map(({ id }) => id),
          [answer.gateway.logId]
        )
        yield* GatewayLogs.remove({ id: answer.gateway.logId ?? "" })
        assert.lengthOf(gateway.logs(), 0)
        assert.strictEqual(
          (yield* Effect.flip(GatewayLogs.feedback(answer, { score: 1 })))._tag,
          "LogNotFound"
        )
      }).pipe(Effect.provide(Layer.mergeAll(Gateway, Logs, OpenAi.layer())))
    }).pipe(Effect.scoped, Effect.provide(FetchHttpClient.layer))
  )
})
