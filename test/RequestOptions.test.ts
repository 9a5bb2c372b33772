import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as RequestOptions from "../src/RequestOptions.js"

const headersOf = (options: RequestOptions.RequestOptions): Record<string, string> =>
  Either.getOrThrow(RequestOptions.toHeaders(options))

/** What JavaScript, or a cast, may pass. */
const untyped = (options: unknown): RequestOptions.RequestOptions => options as RequestOptions.RequestOptions

const errorOf = (options: unknown) => {
  const headers = RequestOptions.toHeaders(untyped(options))
  return Either.isLeft(headers) ? headers.left : assert.fail(`accepted: ${JSON.stringify(headers.right)}`)
}

const rejects = (options: unknown, field: string) => {
  const error = errorOf(options)
  assert.strictEqual(error._tag, "InvalidRequest")
  assert.strictEqual(error.field, field)
  assert.include(error.message, field)
}

describe("the headers of a request", () => {
  it("are exactly one for each option that is set", () => {
    assert.deepStrictEqual(
      headersOf({
        cacheTtl: "1 hour",
        skipCache: true,
        cacheKey: "cheese",
        metadata: { team: "search", user: 7, beta: true },
        collectLog: false,
        collectLogPayload: false,
        eventId: "event-1",
        requestTimeout: "5 seconds",
        retries: { maxAttempts: 3, delay: "500 millis", backoff: "exponential" },
        customCost: {
          perTokenIn: 0.000001,
          perTokenOut: 0.000002,
          perCacheReadToken: 0,
          perCacheWriteToken: 0.5
        },
        byokAlias: "team-a",
        noWholesale: true,
        zdr: true,
        otelTraceId: "4bf92f3577b34da6a3ce929d0e0e4736",
        otelParentSpanId: "00f067aa0ba902b7"
      }),
      {
        "cf-aig-cache-ttl": "3600",
        "cf-aig-skip-cache": "true",
        "cf-aig-cache-key": "cheese",
        "cf-aig-metadata": '{"team":"search","user":7,"beta":true}',
        "cf-aig-collect-log": "false",
        "cf-aig-collect-log-payload": "false",
        "cf-aig-event-id": "event-1",
        "cf-aig-request-timeout": "5000",
        "cf-aig-max-attempts": "3",
        "cf-aig-retry-delay": "500",
        "cf-aig-backoff": "exponential",
        "cf-aig-custom-cost":
          '{"per_token_in":0.000001,"per_token_out":0.000002,"per_cache_read_token":0,"per_cache_write_token":0.5}',
        "cf-aig-byok-alias": "team-a",
        "cf-aig-no-wholesale": "true",
        "cf-aig-zdr": "true",
        "cf-aig-otel-trace-id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "cf-aig-otel-parent-span-id": "00f067aa0ba902b7"
      }
    )
  })

  it("are none without options", () => {
    assert.deepStrictEqual(headersOf({}), {})
    assert.deepStrictEqual(headersOf(RequestOptions.empty), {})
  })

  it("are none for options that are undefined", () => {
    assert.deepStrictEqual(
      headersOf({
        cacheKey: undefined,
        cacheTtl: undefined,
        metadata: undefined,
        retries: undefined,
        zdr: undefined
      }),
      {}
    )
  })

  it("leave out a flag whose false is the default", () => {
    assert.deepStrictEqual(headersOf({ skipCache: false, noWholesale: false }), {})
  })

  it("send a false that overrides the gateway's setting", () => {
    assert.deepStrictEqual(headersOf({ collectLog: false, collectLogPayload: false, zdr: false }), {
      "cf-aig-collect-log": "false",
      "cf-aig-collect-log-payload": "false",
      "cf-aig-zdr": "false"
    })
  })

  it("hold only the retry option that is set", () => {
    assert.deepStrictEqual(headersOf({ retries: { maxAttempts: 2 } }), { "cf-aig-max-attempts": "2" })
    assert.deepStrictEqual(headersOf({ retries: {} }), {})
  })

  it("hold the cache key if that is all", () => {
    assert.deepStrictEqual(headersOf({ cacheKey: "cheese" }), { "cf-aig-cache-key": "cheese" })
  })

  it("never have the names of an older protocol", () => {
    const names = Object.keys(headersOf({ cacheTtl: "1 hour", skipCache: true, requestTimeout: "5 seconds" }))
    for (const name of names) assert.match(name, /^cf-aig-/)
    assert.notInclude(names, "cf-aig-request-timeout-ms")
  })

  it("are visible ASCII on one line, whatever the options are", () => {
    const options = FastCheck.record(
      {
        cacheKey: FastCheck.string({ unit: "binary" }),
        eventId: FastCheck.string({ unit: "binary" }),
        byokAlias: FastCheck.string(),
        metadata: FastCheck.dictionary(
          FastCheck.string({ unit: "binary" }),
          FastCheck.oneof(FastCheck.string({ unit: "binary" }), FastCheck.double(), FastCheck.boolean()),
          { maxKeys: 5 }
        )
      },
      { requiredKeys: [] }
    )
    FastCheck.assert(
      FastCheck.property(options, (options) => {
        const headers = RequestOptions.toHeaders(options)
        if (Either.isRight(headers)) {
          for (const value of Object.values(headers.right)) assert.match(value, /^[\x20-\x7e]*$/)
        }
      })
    )
  })

  it("never throw, whatever JavaScript passes", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.anything(), (options) => void RequestOptions.toHeaders(untyped(options)))
    )
    const names = FastCheck.constantFrom(
      "cacheKey",
      "cacheTtl",
      "metadata",
      "retries",
      "customCost",
      "zdr",
      "eventId"
    )
    FastCheck.assert(
      FastCheck.property(
        FastCheck.dictionary(names, FastCheck.anything()),
        (options) => void RequestOptions.toHeaders(untyped(options))
      )
    )
  })
})

describe("a cache time-to-live", () => {
  it("may be 60 seconds and 30 days, and what is between", () => {
    assert.deepStrictEqual(headersOf({ cacheTtl: "60 seconds" }), { "cf-aig-cache-ttl": "60" })
    assert.deepStrictEqual(headersOf({ cacheTtl: "30 days" }), { "cf-aig-cache-ttl": "2592000" })
    assert.deepStrictEqual(headersOf({ cacheTtl: Duration.minutes(5) }), { "cf-aig-cache-ttl": "300" })
    assert.deepStrictEqual(headersOf({ cacheTtl: [90, 0] }), { "cf-aig-cache-ttl": "90" })
  })

  const wrong: ReadonlyArray<unknown> = [
    "-5 seconds",
    "10 seconds",
    "40 days",
    "59999 millis",
    "60500 millis",
    "soon",
    "3600",
    "",
    null,
    true,
    {},
    [-90, 0],
    Duration.zero,
    Duration.infinity
  ]
  for (const cacheTtl of wrong) {
    it(`cannot be ${Duration.isDuration(cacheTtl) ? Duration.format(cacheTtl) : JSON.stringify(cacheTtl)}`, () => {
      rejects({ cacheTtl }, "cacheTtl")
    })
  }

  it("cannot be a bare number, which says no unit", () => {
    rejects({ cacheTtl: 3600 }, "cacheTtl")
    rejects({ cacheTtl: 3600n }, "cacheTtl")
    assert.include(errorOf({ cacheTtl: 3600 }).message, '"3600 seconds"')
  })

  it("does not compile as a bare number", () => {
    // Only the compiler looks at this.
    const check = (): ReadonlyArray<RequestOptions.RequestOptions> => [
      // @ts-expect-error a number has no unit
      { cacheTtl: 3600 },
      // @ts-expect-error a bigint has no unit
      { requestTimeout: 3600n },
      // @ts-expect-error a number has no unit
      { retries: { delay: 500 } },
      // @ts-expect-error an option that does not exist
      { cacheTTL: "1 hour" }
    ]
    assert.isFunction(check)
  })
})

describe("a request timeout", () => {
  it("is sent in milliseconds", () => {
    assert.deepStrictEqual(headersOf({ requestTimeout: "1 millis" }), { "cf-aig-request-timeout": "1" })
    assert.deepStrictEqual(headersOf({ requestTimeout: "2 minutes" }), { "cf-aig-request-timeout": "120000" })
  })

  for (const requestTimeout of ["0 millis", "-5 seconds", "1000 days", "soon", 5000, 5000n, [-1, 0], null]) {
    it(`cannot be ${String(requestTimeout)}`, () => {
      rejects({ requestTimeout }, "requestTimeout")
    })
  }
})

describe("retries on the gateway's side", () => {
  it("may have 1 to 5 attempts", () => {
    for (const maxAttempts of [1, 5]) {
      assert.deepStrictEqual(headersOf({ retries: { maxAttempts } }), {
        "cf-aig-max-attempts": String(maxAttempts)
      })
    }
  })

  it("may wait up to a minute", () => {
    assert.deepStrictEqual(headersOf({ retries: { delay: "1 minute" } }), {
      "cf-aig-retry-delay": "60000"
    })
    assert.deepStrictEqual(headersOf({ retries: { delay: "0 millis" } }), { "cf-aig-retry-delay": "0" })
  })

  it("may grow their wait in three ways", () => {
    for (const backoff of ["constant", "linear", "exponential"] as const) {
      assert.deepStrictEqual(headersOf({ retries: { backoff } }), { "cf-aig-backoff": backoff })
    }
  })

  const wrong: ReadonlyArray<readonly [unknown, string]> = [
    [{ maxAttempts: 6 }, "retries.maxAttempts"],
    [{ maxAttempts: 0 }, "retries.maxAttempts"],
    [{ maxAttempts: 1.5 }, "retries.maxAttempts"],
    [{ maxAttempts: "3" }, "retries.maxAttempts"],
    [{ delay: "60001 millis" }, "retries.delay"],
    [{ delay: "-5 seconds" }, "retries.delay"],
    [{ delay: [-5, 0] }, "retries.delay"],
    [{ delay: 500 }, "retries.delay"],
    [{ backoff: "nope" }, "retries.backoff"],
    [{ retryDelay: "1 seconds" }, "retries.retryDelay"],
    [null, "retries"],
    [3, "retries"]
  ]
  for (const [retries, field] of wrong) {
    it(`cannot be ${JSON.stringify(retries)}`, () => {
      rejects({ retries }, field)
    })
  }
})

describe("metadata", () => {
  const sent = (metadata: Record<string, string | number | boolean>): unknown =>
    JSON.parse(headersOf({ metadata })["cf-aig-metadata"] ?? "null")

  it("may have 5 entries", () => {
    assert.deepStrictEqual(sent({ a: 1, b: 2, c: 3, d: 4, e: 5 }), { a: 1, b: 2, c: 3, d: 4, e: 5 })
  })

  it("cannot have 6 entries, of which the gateway drops one", () => {
    rejects({ metadata: { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 } }, "metadata")
  })

  it("does not count entries that are undefined", () => {
    const metadata = { a: 1, b: 2, c: 3, d: 4, e: 5, f: undefined }
    assert.deepStrictEqual(headersOf(untyped({ metadata })), {
      "cf-aig-metadata": '{"a":1,"b":2,"c":3,"d":4,"e":5}'
    })
  })

  it("sends no header without entries", () => {
    assert.deepStrictEqual(headersOf({ metadata: {} }), {})
  })

  it("escapes what ASCII does not have, and means the same", () => {
    const metadata = { näme: "José 🧀 \u007f", control: "a\r\nb" }
    const header = headersOf({ metadata })["cf-aig-metadata"]
    assert.strictEqual(header, '{"n\\u00e4me":"Jos\\u00e9 \\ud83e\\uddc0 \\u007f","control":"a\\r\\nb"}')
    assert.deepStrictEqual(sent(metadata), metadata)
  })

  const wrong: ReadonlyArray<readonly [string, unknown, string]> = [
    ["a nested object", { user: { id: 1 } }, "metadata.user"],
    ["a list", { tags: ["a"] }, "metadata.tags"],
    ["null", { user: null }, "metadata.user"],
    ["a bigint", { user: 1n }, "metadata.user"],
    ["not a number", { user: Number.NaN }, "metadata.user"],
    ["a function", { user: () => 1 }, "metadata.user"],
    ["a symbol", { user: Symbol("x") }, "metadata.user"],
    ["a name that the gateway strips", { "cf.user_id": "x" }, "metadata.cf.user_id"],
    ["an empty name", { "": "x" }, "metadata."]
  ]
  for (const [title, metadata, field] of wrong) {
    it(`cannot hold ${title}`, () => {
      rejects({ metadata }, field)
    })
  }

  for (const metadata of ["x", 5, null, ["a"]]) {
    it(`cannot be ${JSON.stringify(metadata)}`, () => {
      rejects({ metadata }, "metadata")
    })
  }
})

for (const field of ["cacheKey", "eventId", "byokAlias"]) {
  describe(`the option ${field}`, () => {
    const wrong: ReadonlyArray<readonly [string, unknown]> = [
      ["empty", ""],
      ["a number", 5],
      ["null", null],
      ["an emoji", "🧀"],
      ["accented", "é"],
      ["a tab", "a\tb"],
      ["another header", "a\r\ncf-aig-skip-cache: true"],
      ["ended by a line feed", "a\n"],
      ["padded", " a "]
    ]
    for (const [title, value] of wrong) {
      it(`cannot be ${title}`, () => {
        rejects({ [field]: value }, field)
      })
    }

    it("may be any printable ASCII", () => {
      const value = 'a b:c;d"e~'
      assert.deepStrictEqual(Object.values(headersOf({ [field]: value })), [value])
    })
  })
}

for (const field of ["skipCache", "collectLog", "collectLogPayload", "noWholesale", "zdr"]) {
  it(`the flag ${field} cannot be anything but true and false`, () => {
    for (const value of ["true", 1, null, {}]) rejects({ [field]: value }, field)
  })
}

describe("the ids of a trace", () => {
  it("cannot have another length, or other digits", () => {
    for (const value of ["", "4bf9", "g".repeat(32), "4bf92f3577b34da6a3ce929d0e0e4736\n", 5, null]) {
      rejects({ otelTraceId: value }, "otelTraceId")
    }
    for (const value of ["", "00f0", "g".repeat(16), "00f067aa0ba902b7\r\n", 5, null]) {
      rejects({ otelParentSpanId: value }, "otelParentSpanId")
    }
  })
})

describe("a custom cost", () => {
  const wrong: ReadonlyArray<readonly [unknown, string]> = [
    [{}, "customCost.perTokenIn"],
    [{ perTokenIn: 1 }, "customCost.perTokenOut"],
    [{ perTokenIn: -1, perTokenOut: 1 }, "customCost.perTokenIn"],
    [{ perTokenIn: 1, perTokenOut: "1" }, "customCost.perTokenOut"],
    [{ perTokenIn: 1, perTokenOut: Number.POSITIVE_INFINITY }, "customCost.perTokenOut"],
    [{ perTokenIn: 1, perTokenOut: 1, total: 5 }, "customCost.total"],
    [5, "customCost"],
    [null, "customCost"]
  ]
  for (const [customCost, field] of wrong) {
    it(`cannot be ${JSON.stringify(customCost)}`, () => {
      rejects({ customCost }, field)
    })
  }
})

describe("an option that does not exist", () => {
  it("is rejected by its name", () => {
    rejects({ cacheTTL: "1 hour" }, "cacheTTL")
    rejects({ ttl: undefined }, "ttl")
  })

  it("is rejected even if every object has such a property", () => {
    rejects({ toString: "x" }, "toString")
    rejects({ constructor: "x" }, "constructor")
  })
})

describe("options that are no object", () => {
  for (const options of [null, 5, "cacheKey", ["cacheKey"]]) {
    it(`are rejected: ${JSON.stringify(options)}`, () => {
      rejects(options, "options")
    })
  }
})

describe("merged options", () => {
  const { merge } = RequestOptions

  it("are those of the call where both are set", () => {
    assert.deepStrictEqual(merge({ cacheKey: "a", zdr: true }, { cacheKey: "b" }), {
      cacheKey: "b",
      zdr: true
    })
  })

  it("are those of the region where the call says undefined", () => {
    const merged = merge({ cacheKey: "a", metadata: { a: 1 } }, { cacheKey: undefined, metadata: undefined })
    assert.deepStrictEqual(merged, { cacheKey: "a", metadata: { a: 1 } })
  })

  it("can turn a flag off", () => {
    assert.deepStrictEqual(headersOf(merge({ skipCache: true }, { skipCache: false })), {})
  })

  it("join their metadata entry by entry", () => {
    assert.deepStrictEqual(merge({ metadata: { a: 1, b: 2 } }, { metadata: { b: 3, c: 4 } }).metadata, {
      a: 1,
      b: 3,
      c: 4
    })
  })

  it("keep an entry that the call leaves undefined", () => {
    const over = untyped({ metadata: { a: undefined, b: 2 } })
    assert.deepStrictEqual(merge({ metadata: { a: 1 } }, over).metadata, { a: 1, b: 2 })
  })

  it("are limited to 5 entries of metadata after the merge", () => {
    const base = { metadata: { a: 1, b: 2, c: 3 } }
    assert.isTrue(Either.isRight(RequestOptions.toHeaders(merge(base, { metadata: { c: 4, d: 5, e: 6 } }))))
    rejects(merge(base, { metadata: { d: 4, e: 5, f: 6 } }), "metadata")
  })

  it("replace retries as a whole", () => {
    const merged = merge({ retries: { maxAttempts: 3 } }, { retries: { delay: "1 seconds" } })
    assert.deepStrictEqual(merged.retries, { delay: "1 seconds" })
  })

  it("do not hide metadata that is no object", () => {
    rejects(merge({ metadata: { a: 1 } }, untyped({ metadata: "x" })), "metadata")
    rejects(merge({ metadata: { a: 1 } }, untyped({ metadata: 5 })), "metadata")
  })

  it("leave what was merged as it was", () => {
    const base = { metadata: { a: 1 }, cacheKey: "a" }
    const over = { metadata: { b: 2 }, cacheKey: "b" }
    merge(base, over)
    assert.deepStrictEqual(base, { metadata: { a: 1 }, cacheKey: "a" })
    assert.deepStrictEqual(over, { metadata: { b: 2 }, cacheKey: "b" })
  })

  it("are the others if one side has none", () => {
    const options = { cacheKey: "a" }
    assert.strictEqual(merge(options, undefined), options)
    assert.strictEqual(merge(options, RequestOptions.empty), options)
    assert.strictEqual(merge(RequestOptions.empty, options), options)
  })
})
