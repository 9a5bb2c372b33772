/**
 * `npm run bench`: what a call and a streamed event cost, as multiples of a bare `fetch` in the same run on loopback. CPU time
 * of this process; the server is another one. Not a test: nothing here passes or fails.
 */
import { fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Duration, Effect, Layer, Logger, ManagedRuntime, Redacted, Schema, Stream } from "effect"
import { AiGateway, ChatModel, OpenAi, Tool } from "effect-ai-gateway"
import * as EffectAi from "./effectAi.js"
import * as Peers from "./peers.js"
import { worker } from "./worker.js"

const quick = process.argv.includes("--quick")
const calls = quick ? 500 : 2000
const rounds = quick ? 3 : 7
const inFlight = 64

const child = fork(fileURLToPath(new URL("./server.mjs", import.meta.url)), {
  stdio: ["ignore", "inherit", "inherit", "ipc"]
})
const [{ port }] = (await once(child, "message")) as [{ port: number }]
const origin = `http://127.0.0.1:${port}`
const url = `${origin}/v1/account/gateway/openai/chat/completions`

type Client = "FetchHttpClient" | "layerUndici"
const clients: Record<Client, Layer.Layer<HttpClient.HttpClient>> = {
  FetchHttpClient: FetchHttpClient.layer,
  layerUndici: NodeHttpClient.layerUndici
}

const app = (client: Client, name: string) =>
  OpenAi.layer({ apiKey: Redacted.make("sk-benchmark"), headers: { "x-case": name } }).pipe(
    Layer.merge(
      AiGateway.layer({
        accountId: "account",
        gatewayId: "gateway",
        baseUrl: `${origin}/v1`,
        token: Redacted.make("token")
      })
    ),
    Layer.provideMerge(clients[client])
  )

const runtimes: Array<{ dispose: () => Promise<void> }> = []
const runtime = <R, E>(layer: Layer.Layer<R, E>): ManagedRuntime.ManagedRuntime<R, E> => {
  const made = ManagedRuntime.make(layer)
  runtimes.push(made)
  return made
}

const model = OpenAi.model("gpt-4.1-mini")
const off = model.pipe(
  ChatModel.withTimeouts({ firstEvent: Duration.infinity, idle: Duration.infinity, total: Duration.infinity })
)
const question: Parameters<typeof model.chat>[0] = {
  messages: [
    { role: "system", content: "You are brief." },
    { role: "user", content: "Name three cheeses." }
  ],
  temperature: 0.8
}

interface Row {
  readonly name: string
  readonly run: () => Promise<unknown>
}

/** CPU microseconds per unit, the least of several rounds; rows take turns, so that the machine's moods hit all alike. */
const measure = async (
  rows: ReadonlyArray<Row>,
  batch: number,
  units: number,
  parallel: number
): Promise<Array<number>> => {
  const best = rows.map(() => Infinity)
  for (let round = 0; round <= rounds; round++) {
    for (const [index, { run }] of rows.entries()) {
      let left = round === 0 ? Math.ceil(batch / 4) : batch
      const count = left
      const before = process.cpuUsage()
      await Promise.all(
        Array.from({ length: parallel }, async () => {
          while (left-- > 0) await run()
        })
      )
      const { user, system } = process.cpuUsage(before)
      if (round > 0) best[index] = Math.min(best[index] ?? Infinity, (user + system) / (count * units))
    }
  }
  return best
}

const table = (title: string, unit: string, rows: ReadonlyArray<Row>, costs: ReadonlyArray<number>) => {
  console.log(`\n${title}`)
  const base = costs[0] ?? Number.NaN
  for (const [index, { name }] of rows.entries()) {
    const cost = costs[index] ?? Number.NaN
    console.log(
      `  ${(cost / base).toFixed(2).padStart(6)}  ${cost.toFixed(2).padStart(9)} µs CPU ${unit}  ${name}`
    )
  }
}

const picked = process.argv
  .find((argument) => argument.startsWith("--only="))
  ?.slice(7)
  .split(",")
const sections = new Set<string>()
const section = async (key: string, f: () => Promise<void>) => {
  sections.add(key)
  if (picked === undefined || picked.includes(key)) await f()
}

await section("call", async () => {
  const rows: Array<Row> = [{ name: "bare fetch", run: () => Peers.bareCall(url) }]
  for (const client of ["FetchHttpClient", "layerUndici"] as const) {
    const bare = runtime(clients[client])
    const full = runtime(app(client, "whole"))
    rows.push({ name: `by hand on ${client}`, run: () => bare.runPromise(Peers.handCall(url)) })
    rows.push({
      name: `by hand on ${client}, tracer off`,
      run: () => bare.runPromise(Effect.withTracerEnabled(Peers.handCall(url), false))
    })
    rows.push({
      name: `effect-ai-gateway on ${client}, spans and clocks off`,
      run: () => full.runPromise(Effect.withTracerEnabled(off.chat(question), false))
    })
    rows.push({
      name: `effect-ai-gateway on ${client}, spans and clocks on`,
      run: () => full.runPromise(model.chat(question))
    })
  }
  for (const { name, call } of await Peers.others(url, "whole")) rows.push({ name, run: call })
  table(`One call, ${inFlight} in flight`, "per call", rows, await measure(rows, calls, 1, inFlight))
})

await section("fast", async () => {
  const events = 4096
  const rows: Array<Row> = [
    { name: "bare fetch, read-split-parse loop", run: () => Peers.bareStream(url, `fast-${events}`) }
  ]
  for (const client of ["FetchHttpClient", "layerUndici"] as const) {
    const bare = runtime(clients[client])
    const full = runtime(app(client, `fast-${events}`))
    rows.push({
      name: `by hand on ${client}`,
      run: () => bare.runPromise(Peers.handStream(url, `fast-${events}`))
    })
    rows.push({
      name: `effect-ai-gateway on ${client}`,
      run: () => full.runPromise(Stream.runDrain(model.streamChat(question)))
    })
    rows.push({
      name: `effect-ai-gateway on ${client}, in a list`,
      run: () => full.runPromise(Stream.runDrain(ChatModel.firstSuccessOf([model, off]).streamChat(question)))
    })
  }
  for (const { name, stream } of await Peers.others(url, `fast-${events}`)) rows.push({ name, run: stream })
  table(
    `A fast stream of ${events} events`,
    "per event",
    rows,
    await measure(rows, quick ? 8 : 24, events, 4)
  )
})

await section("tools", async () => {
  const fragments = 4096
  const name = `tools-${fragments}`
  const order = Tool.make("order", {
    description: "Orders what the note says.",
    parameters: Schema.Struct({ note: Schema.String })
  })
  const asked = { ...question, tools: [order] }
  const rows: Array<Row> = [
    {
      name: "bare fetch, read-split-parse loop that joins the arguments",
      run: () => Peers.bareTools(url, name)
    }
  ]
  for (const client of ["FetchHttpClient", "layerUndici"] as const) {
    const bare = runtime(clients[client])
    const full = runtime(app(client, name))
    rows.push({ name: `by hand on ${client}`, run: () => bare.runPromise(Peers.handTools(url, name)) })
    rows.push({
      name: `effect-ai-gateway on ${client}`,
      run: () => full.runPromise(Stream.runDrain(model.streamChat(asked)))
    })
    rows.push({
      name: `effect-ai-gateway on ${client}, in a list`,
      run: () => full.runPromise(Stream.runDrain(ChatModel.firstSuccessOf([model, off]).streamChat(asked)))
    })
    const { toolCalls } = await full.runPromise(ChatModel.collect(model.streamChat(asked)))
    if (toolCalls[0]?.arguments !== (await Peers.bareTools(url, name)))
      throw new Error("effect-ai-gateway got other arguments")
  }
  for (const { name: other, tools } of await Peers.others(url, name)) rows.push({ name: other, run: tools })
  table(
    `A fast stream of one tool call in ${fragments} fragments of arguments`,
    "per fragment",
    rows,
    await measure(rows, quick ? 8 : 24, fragments, 4)
  )
})

await section("paced", async () => {
  const events = 200
  const rows: Array<Row> = [
    { name: "bare fetch, read-split-parse loop", run: () => Peers.bareStream(url, `paced-${events}`) }
  ]
  for (const client of ["FetchHttpClient", "layerUndici"] as const) {
    const bare = runtime(clients[client])
    const full = runtime(app(client, `paced-${events}`))
    rows.push({
      name: `by hand on ${client}`,
      run: () => bare.runPromise(Peers.handStream(url, `paced-${events}`))
    })
    rows.push({
      name: `effect-ai-gateway on ${client}`,
      run: () => full.runPromise(Stream.runDrain(model.streamChat(question)))
    })
    rows.push({
      name: `effect-ai-gateway on ${client}, in a list`,
      run: () => full.runPromise(Stream.runDrain(ChatModel.firstSuccessOf([model, off]).streamChat(question)))
    })
  }
  for (const { name, stream } of await Peers.others(url, `paced-${events}`)) rows.push({ name, run: stream })
  table(
    `A paced stream, one event per network read (${events} events, 32 streams at once)`,
    "per event",
    rows,
    await measure(rows, quick ? 64 : 96, events, 32)
  )
})

await section("fallback", async () => {
  const client = "layerUndici"
  const one = runtime(Layer.merge(app(client, "whole"), Logger.remove(Logger.defaultLogger)))
  const down = OpenAi.model("down")
  const up = ChatModel.firstSuccessOf([model, off])
  const list = ChatModel.firstSuccessOf([down, model])
  const rows: Array<Row> = [
    { name: "one call", run: () => one.runPromise(model.chat(question)) },
    { name: "the same call in a list", run: () => one.runPromise(up.chat(question)) },
    { name: "one call that fails", run: () => one.runPromise(Effect.either(down.chat(question))) },
    { name: "a list whose first leg is down", run: () => one.runPromise(list.chat(question)) }
  ]
  const costs = await measure(rows, calls, 1, inFlight)
  table("A leg that failed", "per call", rows, costs)
  const [call = Number.NaN, inList = Number.NaN, failing = Number.NaN, fellBack = Number.NaN] = costs
  console.log(
    `  the failed leg costs ${((fellBack - inList) / call).toFixed(2)} calls (budget: 1.0); by itself it costs ${(failing / call).toFixed(2)}`
  )
})

await section("first-token", async () => {
  const full = runtime(app("layerUndici", "paced-3"))
  const fetchFull = runtime(app("FetchHttpClient", "paced-3"))
  const times = { bare: [] as Array<number>, undici: [] as Array<number>, fetch: [] as Array<number> }
  const ours = (made: typeof full) => {
    const start = performance.now()
    let first = 0
    return made
      .runPromise(
        Stream.runForEach(model.streamChat(question), () =>
          Effect.sync(() => {
            if (first === 0) first = performance.now() - start
          })
        )
      )
      .then(() => first)
  }
  for (let n = 0; n < (quick ? 50 : 300); n++) {
    const start = performance.now()
    const response = await fetch(url, {
      method: "POST",
      headers: { "x-case": "paced-3" },
      body: JSON.stringify(Peers.body)
    })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    times.bare.push(performance.now() - start)
    while (!(await reader.read()).done);
    times.undici.push(await ours(full))
    times.fetch.push(await ours(fetchFull))
  }
  const median = (values: Array<number>) => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
  console.log("\nFirst token, one stream at a time (median ms)")
  console.log(
    `  bare fetch ${median(times.bare).toFixed(2)}, FetchHttpClient ${median(times.fetch).toFixed(2)}, layerUndici ${median(times.undici).toFixed(2)}`
  )
})

await section("memory", async () => {
  const full = runtime(app("layerUndici", "fast-1000000"))
  const samples: Array<number> = []
  let events = 0
  await full.runPromise(
    Stream.runForEachChunk(model.streamChat(question), (chunk) =>
      Effect.sync(() => {
        const before = Math.floor(events / 20_000)
        events += chunk.length
        if (Math.floor(events / 20_000) === before) return
        globalThis.gc?.()
        samples.push(process.memoryUsage().heapUsed)
      })
    )
  )
  // The least heap of each fifth: what is left between two collections.
  const fifth = Math.ceil(samples.length / 5)
  const least = [0, 1, 2, 3, 4].map((n) => Math.min(...samples.slice(n * fifth, (n + 1) * fifth)) / 1e6)
  console.log(`\nMemory of one stream of ${events} events: least heap in each fifth of it, in MB`)
  console.log(`  ${least.map((megabytes) => megabytes.toFixed(1)).join("  ")}`)
})

await section("effect-ai", async () => {
  child.send({ cases: await EffectAi.cases() })
  await once(child, "message")
  for (const { title, unit, rows, batch, units, parallel } of await EffectAi.tables(origin, quick, runtime)) {
    table(title, unit, rows, await measure(rows, batch, units, parallel))
  }
})

await section("worker", () => worker(quick ? 3 : 9))

const unknown = picked?.filter((key) => !sections.has(key)) ?? []
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(", ")}: there are ${[...sections].join(", ")}.`)
  process.exitCode = 1
}

await Promise.all(runtimes.map((made) => made.dispose()))
child.disconnect()
