/** `npm start`, as a person runs it: its own process, its output and its exit code. */
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either } from "effect"
import { LocalGateway } from "effect-ai-gateway"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"
import * as Prompt from "../examples/main-job/prompt.js"
import * as Settings from "../examples/main-job/settings.js"
import { program } from "./program.js"

interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
  /** When each piece of stdout came, in milliseconds. */
  readonly arrivals: ReadonlyArray<readonly [at: number, text: string]>
}

const root = fileURLToPath(new URL("..", import.meta.url))
const limit = 30_000

/** Settings of whoever runs the tests must not reach the program. */
const clean = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(CLOUDFLARE_|OPENAI_|ANTHROPIC_|GOOGLE_|WORKERS_AI$|BYOK$|UNIFIED_BILLING$)/.test(name)
  )
)

const run = (
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {},
  onOutput: (stdout: string, child: ChildProcess) => void = () => undefined
): Effect.Effect<Ended> =>
  Effect.async<Ended>((resume) => {
    const [command, before] = program("examples/main-job.ts")
    const child = spawn(command, [...before, ...args], {
      cwd: root,
      env: { ...clean, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: limit,
      killSignal: "SIGKILL"
    })
    let stdout = ""
    let stderr = ""
    const arrivals: Array<readonly [number, string]> = []
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
      arrivals.push([performance.now(), text])
      onOutput(stdout, child)
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text
    })
    child.on("close", (code, signal) => resume(Effect.succeed({ code, signal, stdout, stderr, arrivals })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

const oneLine = (ended: Ended, pattern: RegExp) => {
  assert.match(ended.stderr, pattern)
  assert.strictEqual(ended.stderr.trim().split("\n").length, 1, ended.stderr)
  assert.notMatch(ended.stderr, /\n\s+at /)
  assert.strictEqual(ended.code, 1)
}

const three = {
  CLOUDFLARE_ACCOUNT_ID: "local-account",
  CLOUDFLARE_GATEWAY_ID: "local-gateway",
  CLOUDFLARE_API_TOKEN: "local-token"
}

/** A gateway that stands for the real one: with authentication, and with keys that it checks. */
const standIn = (options: LocalGateway.Options = {}) =>
  Effect.map(
    LocalGatewayServer.start(
      LocalGateway.make({
        keys: { openai: "sk-openai", anthropic: "sk-anthropic", "google-ai-studio": "g-key" },
        unifiedBilling: false,
        ...options
      })
    ),
    ({ baseUrl, gateway }) => ({ gateway, env: { ...three, CLOUDFLARE_AI_GATEWAY_BASE_URL: baseUrl } })
  )

const options = { timeout: limit + 5000 }

describe("npm start without Cloudflare settings", () => {
  it.live(
    "runs the whole job against LocalGateway, and prints the words as they arrive",
    () =>
      Effect.gen(function* () {
        const ended = yield* run([])
        assert.strictEqual(ended.code, 0, ended.stderr)
        assert.strictEqual(ended.stderr, "")
        const at = (word: string) => ended.arrivals.find(([, text]) => text.includes(word))?.[0] ?? Number.NaN
        // The first word and the last are some thirty pauses of 20 ms apart.
        assert.isAbove(at("busy.") - at("You"), 200)
        assert.match(ended.stdout, /LocalGateway listens at http:\/\/127\.0\.0\.1:\d+/)
        assert.match(ended.stdout, /You said: "In one sentence: why ask more than one model\?"/)
        assert.match(ended.stdout, /1 +openai +gpt-5-mini +ProviderFailure +503 +\d+ ms/)
        assert.match(ended.stdout, /2 +anthropic +claude-haiku-4-5 +RateLimited +429 +\d+ ms/)
        assert.match(ended.stdout, /3 +google-ai-studio +gemini-2\.5-flash +answered +200 +\d+ ms/)
        assert.match(ended.stdout, /usage +input \d+, output \d+, total \d+/)
        assert.match(ended.stdout, /log id +[0-9A-Z]{26}\n/)
        assert.match(ended.stdout, /event id +[0-9a-f-]{36}\n/)
        assert.match(ended.stdout, /first +MISS\n +second +HIT\n/)
        assert.match(ended.stdout, /gemini-2\.5-flash +1048576 tokens/)
        for (const tag of [
          "GatewayNotFound (gateway)",
          "Unauthorized (gateway)",
          "Unauthorized (provider)",
          "ModelNotFound (provider)",
          "RateLimited (provider)",
          "InvalidRequest",
          "Unsupported",
          "ContentBlocked (gateway)",
          "StreamBroken",
          "AllProvidersFailed"
        ]) {
          assert.isTrue(
            ended.stdout.split("\n").some((line) => line.includes(`  ${tag}  `)),
            `${tag} in ${ended.stdout}`
          )
        }
      }),
    options
  )

  it.live(
    "takes a prompt of several words, in any script",
    () =>
      Effect.gen(function* () {
        const ended = yield* run(["Grüße,", "was ist", "灵感 🎈?"])
        assert.strictEqual(ended.code, 0, ended.stderr)
        assert.include(ended.stdout, "> Grüße, was ist 灵感 🎈?\n")
        assert.include(ended.stdout, 'You said: "Grüße, was ist 灵感 🎈?"')
      }),
    options
  )

  it.live(
    "--help prints the usage and runs nothing",
    () =>
      Effect.gen(function* () {
        const ended = yield* run(["--help"])
        assert.strictEqual(ended.code, 0)
        assert.include(ended.stdout, "CLOUDFLARE_ACCOUNT_ID")
        assert.notInclude(ended.stdout, "LocalGateway listens")
      }),
    options
  )

  it("reads its arguments", () => {
    const prompt = (prompt: string) => Either.right({ _tag: "Prompt" as const, prompt })
    assert.deepStrictEqual(Prompt.parse([]), prompt(Prompt.defaultPrompt))
    assert.deepStrictEqual(Prompt.parse(["two", "words"]), prompt("two words"))
    assert.deepStrictEqual(Prompt.parse(["--", "--verbose?"]), prompt("--verbose?"))
    assert.deepStrictEqual(
      Prompt.parse(["--verbose"]),
      Either.left("Unknown option --verbose. See: npm start -- --help")
    )
    assert.deepStrictEqual(Prompt.parse([" "]), Either.left("The prompt is empty."))
  })

  it.live(
    "ends at once on SIGINT",
    () =>
      Effect.gen(function* () {
        let interrupted = 0
        const ended = yield* run([], {}, (stdout, child) => {
          if (interrupted === 0 && stdout.includes("You said")) {
            interrupted = performance.now()
            // Not child.kill: Deno then says that the signal ended the program, whatever its exit code.
            process.kill(child.pid ?? 0, "SIGINT")
          }
        })
        assert.isBelow(performance.now() - interrupted, 1000)
        assert.strictEqual(ended.code, 130)
        assert.strictEqual(ended.stderr, "")
        assert.notInclude(ended.stdout, "busy.")
      }),
    options
  )
})

describe("npm start with Cloudflare settings", () => {
  it.live(
    "asks the providers that have keys, in order, behind a model that does not exist",
    () =>
      Effect.gen(function* () {
        const { env, gateway } = yield* standIn({
          upstreams: { openai: LocalGateway.always(LocalGateway.status(401)) }
        })
        const ended = yield* run(["two words"], {
          ...env,
          OPENAI_API_KEY: "sk-openai",
          ANTHROPIC_API_KEY: "sk-anthropic",
          CLOUDFLARE_WORKERS_AI_TOKEN: "cf-workers"
        })
        assert.strictEqual(ended.code, 0, ended.stderr)
        assert.include(ended.stdout, "You said: two words")
        assert.match(ended.stdout, /1 +openai +this-model-does-not-exist +\w+ +40\d +\d+ ms/)
        assert.match(ended.stdout, /2 +openai +gpt-5-mini +Unauthorized +401 +\d+ ms/)
        assert.match(ended.stdout, /3 +anthropic +claude-haiku-4-5 +answered +200 +\d+ ms/)
        assert.match(ended.stdout, /log id +[0-9A-Z]{26}\n/)
        assert.deepStrictEqual(
          gateway.requests().map(({ provider }) => provider),
          ["openai", "openai", "anthropic"]
        )
        for (const request of gateway.requests()) {
          assert.strictEqual(request.headers["cf-aig-authorization"], "Bearer local-token")
        }
        assert.notMatch(ended.stdout + ended.stderr, /sk-|local-token|cf-workers/)
      }).pipe(Effect.scoped),
    options
  )

  it.live(
    "tells a model that does not exist",
    () =>
      Effect.gen(function* () {
        const { env } = yield* standIn()
        const ended = yield* run([], { ...env, OPENAI_API_KEY: "sk-openai" })
        assert.strictEqual(ended.code, 0, ended.stderr)
        assert.match(ended.stdout, /1 +openai +this-model-does-not-exist +ModelNotFound +404 +\d+ ms/)
        assert.match(ended.stdout, /2 +openai +gpt-5-mini +answered +200 +\d+ ms/)
      }).pipe(Effect.scoped),
    options
  )

  it.live(
    "runs Workers AI with the gateway's token",
    () =>
      Effect.gen(function* () {
        const { env, gateway } = yield* standIn()
        const ended = yield* run([], { ...env, WORKERS_AI: "1" })
        assert.strictEqual(ended.code, 0, ended.stderr)
        assert.match(ended.stdout, /2 +workers-ai +@cf\/meta\/llama-3\.1-8b-instruct +answered +200/)
        assert.strictEqual(gateway.requests()[0]?.headers.authorization, "Bearer local-token")
      }).pipe(Effect.scoped),
    options
  )

  it.live(
    "sends no key with BYOK=1",
    () =>
      Effect.gen(function* () {
        const { env, gateway } = yield* standIn({ storedKeys: { openai: "sk-openai" } })
        const ended = yield* run([], { ...env, BYOK: "1" })
        assert.strictEqual(ended.code, 0, ended.stderr)
        assert.match(ended.stdout, /2 +openai +gpt-5-mini +answered +200/)
        for (const request of gateway.requests()) assert.notProperty(request.headers, "authorization")
      }).pipe(Effect.scoped),
    options
  )

  it("knows which settings are missing or empty", () => {
    const { CLOUDFLARE_API_TOKEN: _, ...two } = three
    const problem = (environment: Readonly<Record<string, string>>) =>
      Either.match(Settings.read(environment), { onLeft: (text) => text, onRight: () => "" })
    assert.match(
      problem({ CLOUDFLARE_API_TOKEN: "t" }),
      /^CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_GATEWAY_ID must be set/
    )
    assert.match(problem({ ...two, OPENAI_API_KEY: "k" }), /^CLOUDFLARE_API_TOKEN must be set/)
    assert.match(problem({ ...three, OPENAI_API_KEY: " " }), /^OPENAI_API_KEY is set, but empty/)
    assert.match(problem(three), /^No provider to ask: set OPENAI_API_KEY/)
    assert.match(problem({ ...three, BYOK: "0" }), /^No provider to ask/)
    assert.strictEqual(problem({ ...three, UNIFIED_BILLING: "1" }), "")
    assert.isTrue(Settings.isReal({ CLOUDFLARE_GATEWAY_ID: "" }))
    assert.isFalse(Settings.isReal({ OPENAI_API_KEY: "k" }))
  })

  it.live(
    "says in one line what is wrong with the settings",
    () =>
      Effect.gen(function* () {
        const key = { OPENAI_API_KEY: "sk-openai" }
        const [empty, baseUrl, noKeys] = yield* Effect.all(
          [
            run([], { ...three, ...key, CLOUDFLARE_GATEWAY_ID: "" }),
            run([], { ...three, ...key, CLOUDFLARE_AI_GATEWAY_BASE_URL: "not a url" }),
            run([], three)
          ],
          { concurrency: 3 }
        )
        oneLine(empty, /^CLOUDFLARE_GATEWAY_ID is set, but empty/)
        oneLine(baseUrl, /^InvalidRequest: baseUrl must be a URL/)
        oneLine(noKeys, /^No provider to ask/)
      }),
    options
  )

  it.live(
    "says in one line why a call failed",
    () =>
      Effect.gen(function* () {
        const { env } = yield* standIn()
        const key = { OPENAI_API_KEY: "sk-openai" }
        const [wrongToken, wrongKey, nobodyThere] = yield* Effect.all(
          [
            run([], { ...env, ...key, CLOUDFLARE_API_TOKEN: "wrong" }),
            run([], { ...env, OPENAI_API_KEY: "sk-wrong" }),
            run([], { ...env, ...key, CLOUDFLARE_AI_GATEWAY_BASE_URL: "http://127.0.0.1:9/v1" })
          ],
          { concurrency: 3 }
        )
        oneLine(wrongToken, /^Unauthorized: .*2009/)
        oneLine(wrongKey, /^AllProvidersFailed: All 2 providers failed/)
        assert.notInclude(wrongKey.stderr, "sk-wrong")
        oneLine(nobodyThere, /^AllProvidersFailed: .*TransportFailure/)
      }).pipe(Effect.scoped),
    options
  )
})
