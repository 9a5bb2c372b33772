/**
 * `npm run load`: what is promised about many streams, and about long ones, on real sockets. Not a test of the suite, because it
 * takes its time; it prints what it finds, and ends with 1 if a promise is broken.
 */
import { execFileSync, fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Effect, Exit, Fiber, Layer, ManagedRuntime, Redacted, Stream } from "effect"
import { AiGateway, ChatModel, OpenAi } from "effect-ai-gateway"

const streams = 1000

const child = fork(fileURLToPath(new URL("./server.mjs", import.meta.url)), {
  stdio: ["ignore", "inherit", "inherit", "ipc"]
})
const [{ port }] = (await once(child, "message")) as [{ port: number }]

interface Server {
  readonly connections: number
  readonly answering: number
  /** Requests for the model of that name. */
  readonly echoes: number
  readonly most: number
  readonly requests: number
}
const server = async (): Promise<Server> => {
  child.send("?")
  const [state] = (await once(child, "message")) as [Server]
  return state
}

let broken = 0
const promise = (what: string, kept: boolean, found: string): void => {
  if (!kept) broken++
  console.log(`  ${kept ? "kept  " : "BROKEN"}  ${what}: ${found}`)
}

const sleep = (millis: number) => new Promise<void>((resolve) => setTimeout(resolve, millis))
const until = async (condition: () => boolean | Promise<boolean>, millis: number): Promise<void> => {
  const end = performance.now() + millis
  while (performance.now() < end && !(await condition())) await sleep(50)
}

const clients: ReadonlyArray<readonly [string, Layer.Layer<HttpClient.HttpClient>]> = [
  ["FetchHttpClient", FetchHttpClient.layer],
  ["NodeHttpClient.layerUndici", NodeHttpClient.layerUndici]
]
const runtimeOf = (client: Layer.Layer<HttpClient.HttpClient>) =>
  ManagedRuntime.make(
    OpenAi.layer({ apiKey: Redacted.make("sk-load") }).pipe(
      Layer.merge(
        AiGateway.layer({
          accountId: "account",
          gatewayId: "gateway",
          baseUrl: `http://127.0.0.1:${port}/v1`,
          token: Redacted.make("token")
        })
      ),
      Layer.provideMerge(client)
    )
  )

const gc = globalThis.gc
if (gc === undefined) throw new Error("run with --expose-gc, as `npm run load` does")
const heap = async (): Promise<number> => {
  // What is freed by a finalizer is gone only at the next collection.
  for (let n = 0; n < 4; n++) {
    gc()
    await sleep(20)
  }
  return process.memoryUsage().heapUsed
}
const sockets = (): number =>
  process.getActiveResourcesInfo().filter((name) => name.startsWith("TCP") || name.startsWith("TLS")).length
const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length

// --- answers are not mixed up -----------------------------------------------------------------------------------------

for (const [name, client] of clients) {
  console.log(`\n${streams} streams at once, ${name}`)
  const runtime = runtimeOf(client)
  const model = ChatModel.firstSuccessOf([OpenAi.model("echo"), OpenAi.model("mute")])
  const ids = Array.from({ length: streams }, (_, n) => `ü-${n}-${Math.random().toString(36).slice(2)}`)
  const start = performance.now()
  const wrong = await runtime.runPromise(
    Effect.forEach(
      ids,
      (id) =>
        Effect.match(ChatModel.collect(model.streamChat(id)), {
          onFailure: (error) => `${error._tag}: ${error.message}`,
          onSuccess: ({ text }) =>
            text === `${id} `.repeat(20) ? undefined : `asked ${id}, told ${text.slice(0, 80)}`
        }),
      { concurrency: "unbounded" }
    ).pipe(Effect.map((all) => all.filter((found) => found !== undefined)))
  )
  const took = Math.round(performance.now() - start)
  const { most, requests } = await server()
  promise(
    "each gets the whole of its own answer",
    wrong.length === 0,
    wrong.length === 0
      ? `${streams} of ${streams} (${took} ms, ${most} at once, ${requests} requests so far)`
      : `${wrong.length} do not; the first: ${wrong[0]}`
  )
  promise("they do run at once", most === streams, `${most} at once`)
  await runtime.dispose()
}

// --- a long stream ----------------------------------------------------------------------------------------------------

console.log("\nA stream of a million events (the benchmark's)")
{
  const bench = fileURLToPath(new URL("../bench/bench.ts", import.meta.url))
  const text = execFileSync(process.execPath, ["--expose-gc", "--import", "tsx", bench, "--only=memory"], {
    encoding: "utf8",
    cwd: fileURLToPath(new URL("../..", import.meta.url))
  })
  const events = Number(/stream of (\d+) events/.exec(text)?.[1])
  const least = (text.trim().split("\n").at(-1) ?? "").trim().split(/\s+/).map(Number)
  const [first = Number.NaN, , , , last = Number.NaN] = least
  promise("it has them all", events >= 1_000_000, `${events} events`)
  promise(
    "it holds no memory: the least heap of its last fifth is that of its first, but for 2 MB (2 bytes an event)",
    last - first < 2,
    `${least.map((megabytes) => megabytes.toFixed(1)).join("  ")} MB`
  )
}

// --- streams that are given up ----------------------------------------------------------------------------------------

/** When a stream is given up: before its headers, before its content, in the middle. */
const moments = ["mute", "contentless", "endless"] as const
const concurrent = 50

for (const [name, client] of clients) {
  console.log(`\n${streams} streams that are interrupted, ${name}`)
  const runtime = runtimeOf(client)
  let delivered = 0
  const giveUp = (n: number) =>
    Effect.gen(function* () {
      const moment = moments[n % 3] ?? "mute"
      const model = ChatModel.firstSuccessOf([OpenAi.model(moment), OpenAi.model("echo")])
      let own = 0
      const count = Effect.sync(() => {
        delivered++
        own++
      })
      const fiber = yield* Effect.forkDaemon(
        Stream.runForEach(model.streamChat(`question ${n}`), () => count)
      )
      if (moment === "endless") {
        while (own < 5 && fiber.unsafePoll() === null) yield* Effect.sleep("5 millis")
      } else yield* Effect.sleep(`${150 + (n % 50)} millis`)
      return yield* Fiber.interrupt(fiber)
    })
  const round = (count: number) =>
    runtime.runPromise(
      Effect.map(
        Effect.forEach(
          Array.from({ length: count }, (_, n) => n),
          giveUp,
          { concurrency: concurrent }
        ),
        (exits) => exits.filter(Exit.isInterrupted).length
      )
    )
  const roots = () => runtime.runPromise(Effect.map(Fiber.roots, (fibers) => fibers.length))
  const settle = async () => {
    await until(async () => (await server()).answering === 0, 5000)
    // The server ends what has been idle for a second; what stays then has never been used.
    await sleep(3000)
  }

  // The first round makes what is made once: code, pools, caches.
  await round(streams)
  await settle()
  const before = {
    heap: await heap(),
    roots: await roots(),
    timers: timers(),
    server: await server()
  }
  delivered = 0
  const interrupted = await round(streams)
  const stopped = delivered
  await settle()
  const after = { heap: await heap(), roots: await roots(), timers: timers(), server: await server() }

  const asked = after.server.requests - before.server.requests
  promise("all end by it", interrupted === streams, `${interrupted} of ${streams}`)
  // On a busy machine some are interrupted before they are connected.
  promise("most of them have asked by then", asked <= streams && asked > streams * 0.8, `${asked} requests`)
  const others = after.server.echoes - before.server.echoes
  promise("no other leg is asked", others === 0, `${others} requests`)
  promise(
    "nothing more is delivered",
    delivered === stopped && stopped >= streams,
    `${stopped} events, then ${delivered - stopped}`
  )
  promise(
    "no answer is left running at the server",
    after.server.answering === 0,
    `${after.server.answering} answers`
  )
  // undici opens a connection in place of each that it had to close, idle until it is used: bare `fetch` keeps one for each
  // stream that ran at once, too. Their number must not grow with the number of streams.
  promise(
    `no socket stays but idle ones of the pool, fewer than 6 for each of ${concurrent} at once`,
    sockets() === 0 && after.server.connections < 6 * concurrent,
    `${sockets()} active sockets here; idle connections at the server: ${before.server.connections} before, ${after.server.connections} after`
  )
  promise(
    "no fiber stays",
    after.roots <= before.roots,
    `${before.roots} root fibers before, ${after.roots} after`
  )
  promise("no timer stays", after.timers <= before.timers, `${before.timers} before, ${after.timers} after`)
  const perStream = (after.heap - before.heap) / streams
  promise(
    "no heap stays (1 kB a stream is the noise)",
    perStream < 1000,
    `${(before.heap / 1e6).toFixed(2)} MB before, ${(after.heap / 1e6).toFixed(2)} MB after: ${Math.round(perStream)} bytes a stream`
  )
  await runtime.dispose()
  await until(async () => (await server()).connections === 0, 6000)
  const { connections } = await server()
  // The connections of `fetch` are the process's own, and not this runtime's to close.
  if (client !== FetchHttpClient.layer) {
    promise(
      "no socket stays behind the runtime",
      connections === 0,
      `${connections} connections at the server`
    )
  }
}

child.disconnect()
console.log(broken === 0 ? "\nEvery promise is kept." : `\n${broken} promises are broken.`)
process.exitCode = broken === 0 ? 0 : 1
