/**
 * What a Worker weighs and how soon it answers, beside Workers that do the same with other libraries: one prompt, streamed
 * as text, with a list of two models behind a gateway. Each is written as its library's README does it, bundled as `wrangler`
 * bundles, and run in `workerd` with Cloudflare's own binding code, LocalGateway behind it.
 */
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { gzipSync } from "node:zlib"
import { Effect } from "effect"
import { LocalGateway } from "effect-ai-gateway"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"
import { build, type Plugin } from "esbuild"
import { run } from "../../examples/worker/workerd.js"

const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

const workers = [
  { file: "effect-ai-gateway", name: "effect-ai-gateway, imported by module" },
  { file: "effect-ai-gateway-index", name: "effect-ai-gateway, imported from the index" },
  { file: "workers-ai-provider", name: "ai + workers-ai-provider" },
  { file: "ai-gateway-provider", name: "ai + ai-gateway-provider" },
  { file: "floor", name: "a Worker that does nothing" }
] as const

const answer = "Brie, Comté, Roquefort."

/** Beside `node_modules`, so that what it imports is found as from a project of its own. */
const dist = root("node_modules/.cache/effect-ai-gateway/bench")

/** The library as its users get it: built, not its sources. */
const buildLibrary = () =>
  promisify(execFile)(root("node_modules/.bin/tsup"), ["--format", "esm", "--out-dir", dist], {
    cwd: root("")
  })

const asInstalled: Plugin = {
  name: "as-installed",
  setup: ({ onResolve }) => {
    // No file of the package has side effects: its package.json says so.
    onResolve({ filter: /^effect-ai-gateway(\/|$)/ }, ({ path }) => ({
      path: `${dist}/${path.split("/")[1] ?? "index"}.js`,
      sideEffects: false
    }))
    onResolve({ filter: /^\.\// }, ({ importer, path }) =>
      importer.startsWith(dist) ? { path: `${dist}/${path}`, sideEffects: false } : undefined
    )
  }
}

const bundle = async (file: string): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [root(`test/bench/workers/${file}.js`)],
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    target: "es2022",
    conditions: ["workerd", "worker", "browser"],
    mainFields: ["module", "main"],
    external: ["cloudflare:*", "node:*"],
    tsconfigRaw: {},
    // The peers' packages ask for several versions of this one: counted once, as if all agreed.
    alias: { "@ai-sdk/provider-utils": root("node_modules/@ai-sdk/provider-utils") },
    plugins: [asInstalled]
  })
  return outputFiles[0]?.text ?? ""
}

/** Milliseconds from the start of the process to the first answer's status, and to the end of its text. */
const coldStart = (file: string, code: string, gateway: string) =>
  Effect.gen(function* () {
    const settings = { compatibility_date: "2026-11-01", ai: { binding: "AI" } }
    const { url, started } = yield* run(code, settings, gateway)
    return yield* Effect.promise(async () => {
      const response = await fetch(url)
      const first = performance.now() - started
      const text = await response.text()
      if (response.status !== 200 || text !== answer) throw new Error(`${file}: ${response.status} ${text}`)
      return { first, whole: performance.now() - started }
    })
  }).pipe(Effect.scoped)

const median = (values: ReadonlyArray<number>) =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN

export const worker = async (times: number): Promise<void> => {
  await buildLibrary()
  const bundles = await Promise.all(workers.map(({ file }) => bundle(file)))
  const found = await Effect.runPromise(
    Effect.gen(function* () {
      const reply = LocalGateway.always(LocalGateway.text(answer))
      const { port } = yield* LocalGatewayServer.start(
        LocalGateway.make({ upstreams: { openai: reply, anthropic: reply } })
      )
      const starts = workers.map((): Array<{ first: number; whole: number }> => [])
      // One of each in turn, and every other round from the last to the first.
      for (let round = -1; round < times; round++) {
        const order = round % 2 === 0 ? [...workers.keys()] : [...workers.keys()].reverse()
        for (const index of order) {
          const { file } = workers[index] ?? workers[0]
          const start = yield* coldStart(file, bundles[index] ?? "", `127.0.0.1:${port}`)
          if (round >= 0) starts[index]?.push(start)
        }
      }
      return starts
    }).pipe(Effect.scoped)
  )
  const rows = workers.map(({ name }, index) => {
    const code = bundles[index] ?? ""
    const starts = found[index] ?? []
    return {
      name,
      raw: Buffer.byteLength(code),
      gzip: gzipSync(code, { level: 9 }).length,
      first: median(starts.map(({ first }) => first)),
      whole: median(starts.map(({ whole }) => whole))
    }
  })
  const [ours] = rows
  if (ours === undefined) return
  const cell = (value: number, own: number, unit: string) =>
    `${unit === "B" ? value.toLocaleString("en").padStart(9) : value.toFixed(0).padStart(4)} ${unit} (${(value / own).toFixed(2)})`
  console.log(
    `\nA Worker that streams one answer with a list of two models: bundle, and cold start from the spawn of workerd (median of ${times})`
  )
  for (const { name, raw, gzip, first, whole } of rows) {
    console.log(
      `  ${cell(raw, ours.raw, "B")} raw  ${cell(gzip, ours.gzip, "B")} gzip  ${cell(first, ours.first, "ms")} to the first 200  ${cell(whole, ours.whole, "ms")} to the end of its text  ${name}`
    )
  }
}
