import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as FastCheck from "effect/FastCheck"
import { classify, retryAfter } from "../src/internal/classify.js"

const now = Date.UTC(2026, 10, 23, 12, 0, 0)

const millis = (
  headers: Readonly<Record<string, string | undefined>>,
  json?: unknown,
  at: number | undefined = now
): number | undefined => {
  const pause = retryAfter(headers, json, at)
  return pause === undefined ? undefined : Duration.toMillis(pause)
}

const google = (retryDelay: unknown): unknown => ({
  error: {
    code: 429,
    status: "RESOURCE_EXHAUSTED",
    details: [
      { "@type": "type.googleapis.com/google.rpc.QuotaFailure", violations: [] },
      { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay }
    ]
  }
})

describe("the pause that a server asks for", () => {
  const headers: ReadonlyArray<[string, Record<string, string>, number | undefined]> = [
    ["whole seconds", { "retry-after": "2" }, 2000],
    ["no pause at all", { "retry-after": "0" }, 0],
    ["seconds with a fraction", { "retry-after": "34.4" }, 34_400],
    ["blanks around a number", { "retry-after": " 2 " }, 2000],
    ["milliseconds", { "retry-after-ms": "1500" }, 1500],
    ["a fraction of a millisecond, rounded up", { "retry-after-ms": "0.2" }, 1],
    ["milliseconds before the seconds that round them", { "retry-after-ms": "496", "retry-after": "1" }, 496],
    ["Azure's 0 ms beside 1 s, never early", { "retry-after-ms": "0", "retry-after": "1" }, 1000],
    ["the longer of two that disagree", { "retry-after-ms": "5", "retry-after": "120" }, 120_000],
    ["seconds where the milliseconds cannot be read", { "retry-after-ms": "x", "retry-after": "3" }, 3000],
    ["an HTTP date", { "retry-after": "Mon, 23 Nov 2026 12:00:07 GMT" }, 7000],
    ["a date of RFC 850", { "retry-after": "Monday, 23-Nov-26 12:00:07 GMT" }, 7000],
    ["a date of asctime, which is GMT by definition", { "retry-after": "Mon Nov 23 12:00:07 2026" }, 7000],
    ["an ISO date", { "retry-after": "2026-11-23T12:00:07Z" }, 7000],
    ["a date in the past", { "retry-after": "Mon, 23 Nov 2026 11:00:00 GMT" }, undefined],
    ["a date that no month has", { "retry-after": "Mon, 99 Nov 2026 12:00:07 GMT" }, undefined],
    ["a word that Date.parse would take for a date", { "retry-after": "soon 1" }, undefined],
    ["a negative number", { "retry-after": "-5" }, undefined],
    ["an exponent", { "retry-after": "1e3" }, undefined],
    ["a number too large to be one", { "retry-after": "9".repeat(400) }, undefined],
    ["an empty header", { "retry-after": "" }, undefined],
    ["no header", {}, undefined]
  ]
  for (const [name, given, expected] of headers) {
    it(`reads ${name}`, () => {
      assert.strictEqual(millis(given), expected)
    })
  }

  it("ignores a date where the present is unknown", () => {
    assert.strictEqual(retryAfter({ "retry-after": "Mon, 23 Nov 2026 12:00:07 GMT" }, undefined), undefined)
  })

  const bodies: ReadonlyArray<[string, unknown, number | undefined]> = [
    ["Google's whole seconds", google("48s"), 48_000],
    ["Google's fraction", google("34.4s"), 34_400],
    ["Google's error in an array", [google("48s")], 48_000],
    ["a delay without its unit", google("48"), undefined],
    ["a negative delay", google("-1s"), undefined],
    ["a delay that is a number", google(48), undefined],
    ["details that are no list", { error: { details: "48s" } }, undefined],
    ["the edge's own JSON", { cloudflare_error: true, retry_after: 30 }, 30_000],
    ["someone else's field of that name", { retry_after: 30 }, undefined],
    ["no body", undefined, undefined],
    ["null", null, undefined]
  ]
  for (const [name, body, expected] of bodies) {
    it(`reads ${name}`, () => {
      assert.strictEqual(millis({}, body), expected)
    })
  }

  it("takes the longer one of header and body", () => {
    assert.strictEqual(millis({ "retry-after": "60" }, google("48s")), 60_000)
    assert.strictEqual(millis({ "retry-after": "6" }, google("48s")), 48_000)
  })

  it.prop(
    "is absent or a finite pause for any header and body",
    [FastCheck.string(), FastCheck.string(), FastCheck.jsonValue(), FastCheck.double()],
    ([seconds, ms, json, at]) => {
      const pause = millis({ "retry-after": seconds, "retry-after-ms": ms }, json, at)
      assert.isTrue(pause === undefined || (Number.isFinite(pause) && pause >= 0))
    }
  )
})

describe("the counter of a rate limit that is used up", () => {
  const pause = (headers: Readonly<Record<string, string>>, limited = true): number | undefined => {
    const found = retryAfter(headers, undefined, now, limited)
    return found === undefined ? undefined : Duration.toMillis(found)
  }
  const counters: ReadonlyArray<[string, Record<string, string>, number | undefined]> = [
    [
      "Cerebras: seconds with a fraction",
      { "x-ratelimit-remaining-tokens-minute": "0", "x-ratelimit-reset-tokens-minute": "11.38" },
      11_380
    ],
    [
      "Azure: whole seconds",
      { "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "9" },
      9000
    ],
    [
      "OpenAI: a duration as Go writes it",
      { "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1m2.5s" },
      62_500
    ],
    [
      "Groq: milliseconds",
      { "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "7.66ms" },
      8
    ],
    [
      "Anthropic: a date",
      {
        "anthropic-ratelimit-output-tokens-remaining": "0",
        "anthropic-ratelimit-output-tokens-reset": "2026-11-23T12:00:07Z"
      },
      7000
    ],
    [
      "the longest of several",
      {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "2s",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "5s"
      },
      5000
    ],
    [
      "not one that has something left",
      { "x-ratelimit-remaining-requests-day": "899", "x-ratelimit-reset-requests-day": "33011.38" },
      undefined
    ],
    ["not what cannot be read", { "x-ratelimit-remaining-a": "0", "x-ratelimit-reset-a": "soon" }, undefined],
    [
      "not beside retry-after",
      { "retry-after": "1", "x-ratelimit-remaining-a": "0", "x-ratelimit-reset-a": "60" },
      1000
    ]
  ]
  for (const [name, headers, expected] of counters) {
    it(`gives the pause. ${name}`, () => {
      assert.strictEqual(pause(headers), expected)
    })
  }

  it("says nothing about a failure of another kind", () => {
    assert.isUndefined(pause({ "x-ratelimit-remaining-a": "0", "x-ratelimit-reset-a": "60" }, false))
  })

  it("reaches the error of a 429, and of no other status", () => {
    const headers = { "x-ratelimit-remaining-a": "0", "x-ratelimit-reset-a": "3" }
    assert.deepStrictEqual(classify(429, headers, "", { now }).retryAfter, Duration.seconds(3))
    assert.isUndefined(classify(503, headers, "", { now }).retryAfter)
  })
})

describe("the words that OpenRouter passes on", () => {
  it("give the pause in seconds", () => {
    const said = (raw: unknown) => millis({}, { error: { code: 429, metadata: { raw } } })
    assert.strictEqual(said("Rate limit reached. Please try again in 2.5s."), 2500)
    assert.strictEqual(said("Please retry after 20 seconds"), 20_000)
    assert.isUndefined(said("temporarily rate-limited upstream. Please retry shortly"))
    assert.isUndefined(said({ not: "text" }))
  })
})
