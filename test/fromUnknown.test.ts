/** This library's error behind whatever another client failed with. */
import { assert, describe, it } from "@effect/vitest"
import { APICallError, RetryError } from "ai"
import { Cause, FastCheck, Option, Runtime } from "effect"
import { AiGatewayError } from "effect-ai-gateway"

const body = '{"error":{"message":"Slow down","type":"rate_limit_error","code":"rate_limit_exceeded"}}'
const ours = new AiGatewayError.TransportFailure({ message: "no answer" })
const tagOf = (u: unknown) =>
  Option.getOrUndefined(Option.map(AiGatewayError.fromUnknown(u, { provider: "openai" }), ({ _tag }) => _tag))
const callError = new APICallError({
  message: "Slow down",
  url: "https://api.openai.com/v1",
  requestBodyValues: {},
  statusCode: 429,
  responseHeaders: { "retry-after": "7" },
  responseBody: body
})

describe("AiGatewayError.fromUnknown", () => {
  const wrapped: Record<string, unknown> = {
    "the error itself": ours,
    "a chain of causes": new Error("a", { cause: new TypeError("fetch failed", { cause: ours }) }),
    "a Cause": Cause.sequential(Cause.empty, Cause.fail(ours)),
    "a defect": Cause.die(ours),
    "a FiberFailure": Runtime.makeFiberFailure(Cause.fail(ours)),
    "an UnknownException": new Cause.UnknownException(ours),
    "an AggregateError": new AggregateError([ours], "several")
  }
  for (const [name, error] of Object.entries(wrapped)) {
    it(`finds the very error in ${name}`, () => {
      assert.strictEqual(Option.getOrUndefined(AiGatewayError.fromUnknown(error)), ours)
    })
  }

  const answered: Record<string, unknown> = {
    "an APICallError of ai": callError,
    "the last of ai's RetryError": new RetryError({
      message: "3 attempts",
      reason: "maxRetriesExceeded",
      errors: [new Error("first"), callError]
    }),
    "a HttpResponseError of @effect/ai": { response: { status: 429, headers: {} }, body },
    "an APIError of openai": {
      status: 429,
      headers: new Headers(),
      error: { message: "Slow down", code: "rate_limit_exceeded" }
    },
    "an ApiError of @google/genai": Object.assign(new Error(body), { status: 429 })
  }
  for (const [name, error] of Object.entries(answered)) {
    it(`classifies the answer that ${name} kept`, () => {
      assert.strictEqual(tagOf(error), "RateLimited")
    })
  }

  it("keeps how long the server asked to be left alone", () => {
    const error = Option.getOrThrow(AiGatewayError.fromUnknown(callError))
    assert.strictEqual(
      error._tag === "RateLimited" && error.retryAfter !== undefined && String(error.retryAfter),
      "Duration(7s)"
    )
  })

  it("finds nothing in what tells of no answer, in a success and in a log that is missing", () => {
    const missing = new AiGatewayError.LogNotFound({ message: "no such log" })
    for (const u of [undefined, null, 1, "429", new Error("boom"), { status: 200, headers: {} }, missing]) {
      assert.isUndefined(tagOf(u))
    }
  })

  it("ends in a circle, and never throws", () => {
    const circle: { cause?: unknown } = new Error("a")
    circle.cause = new Error("b", { cause: circle })
    assert.isUndefined(tagOf(circle))
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    assert.isUndefined(tagOf(proxy))
    assert.isUndefined(tagOf(new Error("a", { cause: proxy })))
    FastCheck.assert(
      FastCheck.property(FastCheck.anything(), FastCheck.integer(), (u, status) => {
        AiGatewayError.fromUnknown(u)
        AiGatewayError.fromUnknown({ status, headers: u, error: u, cause: u, errors: u })
      })
    )
  })
})
