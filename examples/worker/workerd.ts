/**
 * The Worker in the runtime that Cloudflare runs, on this machine: `workerd`, with Cloudflare's own code behind `env.AI`. Only
 * what that code asks is not Cloudflare's: a gateway on a loopback port.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import type { Readable } from "node:stream"
import { fileURLToPath } from "node:url"
import { Data, Effect } from "effect"
import { build } from "esbuild"
import ts from "typescript"

class WorkerdFailed extends Data.TaggedError("WorkerdFailed")<{ readonly message: string }> {}

/** Where the binary is; the package has no types. */
const { default: workerd }: { readonly default: string } = createRequire(import.meta.url)("workerd")

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url))

/** What of a Worker's configuration matters here. */
interface Settings {
  readonly compatibility_date: string
  readonly compatibility_flags?: ReadonlyArray<string>
  readonly ai: { readonly binding: string }
  readonly vars?: Readonly<Record<string, string>>
}

/** What `wrangler` would read. */
const readSettings = Effect.promise(async (): Promise<Settings & { readonly main: string }> => {
  const file = path("wrangler.jsonc")
  return ts.parseConfigFileTextToJson(file, await readFile(file, "utf8")).config
})

/** As `wrangler` bundles; the library is this repository's. */
const bundle = (main: string) =>
  Effect.promise(async () => {
    const { outputFiles } = await build({
      entryPoints: [path(main)],
      bundle: true,
      write: false,
      format: "esm",
      target: "es2022",
      conditions: ["workerd", "worker", "browser"],
      mainFields: ["module", "main"],
      external: ["cloudflare:*"],
      loader: { ".html": "text" },
      tsconfig: path("../../tsconfig.json")
    })
    return outputFiles[0]?.text ?? ""
  })

const list = (items: ReadonlyArray<string>) => `[${items.join(", ")}]`
const text = (value: string) => JSON.stringify(value)

/** A configuration of `workerd`: one Worker on a free port, and behind its binding whatever listens at `gateway`. */
const toConfig = (settings: Settings, gateway: string) => `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "gateway", external = (address = ${text(gateway)}, http = ()))
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")]
);

const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = ${text(settings.compatibility_date)},
  compatibilityFlags = ${list((settings.compatibility_flags ?? []).map(text))},
  bindings = ${list([
    `(name = ${text(settings.ai.binding)}, wrapped = (
      moduleName = "cloudflare-internal:ai-api",
      innerBindings = [(name = "fetcher", service = "gateway")]
    ))`,
    ...Object.entries(settings.vars ?? {}).map(
      ([name, value]) => `(name = ${text(name)}, text = ${text(value)})`
    )
  ])}
);
`

/** The port, once it listens: `workerd` tells it on a file descriptor of its own. */
const portOf = (child: ChildProcess) =>
  Effect.async<number, WorkerdFailed>((resume) => {
    createInterface({ input: child.stdio[3] as Readable }).on("line", (line) => {
      const { event, port } = JSON.parse(line)
      if (event === "listen") resume(Effect.succeed(port))
    })
    child.once("exit", (code) =>
      resume(Effect.fail(new WorkerdFailed({ message: `workerd ended with ${code} before it listened` })))
    )
  })

/**
 * Runs a Worker until the scope ends, with what listens at `gateway` (`127.0.0.1:{port}`) behind its binding. Gives its URL
 * once it listens, and when the process was started.
 */
export const run = (code: string, settings: Settings, gateway: string) =>
  Effect.gen(function* () {
    const directory = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "worker-"))),
      (directory) => Effect.promise(() => rm(directory, { recursive: true }))
    )
    yield* Effect.promise(() => writeFile(join(directory, "worker.js"), code))
    yield* Effect.promise(() => writeFile(join(directory, "config.capnp"), toConfig(settings, gateway)))
    const started = performance.now()
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(workerd, ["serve", join(directory, "config.capnp"), "--control-fd=3"], {
          stdio: ["ignore", "inherit", "inherit", "pipe"]
        })
      ),
      (child) =>
        Effect.promise(async () => {
          if (child.exitCode !== null || !child.kill()) return
          await once(child, "exit")
        })
    )
    return { url: `http://127.0.0.1:${yield* portOf(child)}`, started }
  })

/** Bundles the Worker of `wrangler.jsonc` and runs it until the scope ends. Gives its URL. */
export const start = (gateway: string) =>
  Effect.gen(function* () {
    const settings = yield* readSettings
    const code = yield* bundle(settings.main)
    const { url } = yield* run(code, settings, gateway)
    return url
  })
