// The package as its users get it: packed, unpacked into a project of its own, loaded and compiled there.
// Nothing comes from the network: the project sees only the dependencies that package.json declares.
import { execFileSync } from "node:child_process"
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
const name = manifest.name
/** Modules that are no part of the index: they need Node, or a peer that nobody has to install. */
const withPeer = ["GatewayEmbeddingModel", "GatewayLanguageModel"]
const notInIndex = ["LocalGatewayServer", ...withPeer]
const optionalPeers = Object.keys(manifest.peerDependenciesMeta)

const subpaths = Object.entries(manifest.exports)
  .filter(([, target]) => target !== null && typeof target === "object")
  .map(([path]) => path.replace(/^\.\/?/, ""))
  .filter((path) => path !== "")

const temp = mkdtempSync(join(tmpdir(), `${name}-`))
const project = join(temp, "project")

/** Runs a program; what it printed is shown only if it fails. */
const run = (what, file, args, cwd = root) => {
  try {
    const out = execFileSync(file, args, {
      cwd,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 1 << 26
    })
    console.log(`packaging: ok      ${what}`)
    return out
  } catch (error) {
    console.log(`packaging: FAILED  ${what}`)
    console.error(`${error.stdout ?? ""}${error.stderr ?? ""}`.trim() || String(error))
    process.exitCode = 1
    return ""
  }
}
const bin = (tool) => join(root, "node_modules/.bin", tool)
const inProject = (file, text) => writeFileSync(join(project, file), text)
const node = (what, file, text) => {
  inProject(file, text)
  return run(what, process.execPath, [file], project)
}

const newest = (path) =>
  statSync(path).isDirectory()
    ? Math.max(0, ...readdirSync(path).map((entry) => newest(join(path, entry))))
    : statSync(path).mtimeMs

const buildIfNeeded = () => {
  const inputs = ["src", "tsup.config.ts", "tsconfig.json"].map((path) => newest(join(root, path)))
  const outputs = ["index", ...subpaths]
    .flatMap((entry) => ["js", "cjs", "d.ts", "d.cts"].map((end) => join(root, "dist", `${entry}.${end}`)))
    .map((path) => (existsSync(path) ? statSync(path).mtimeMs : 0))
  if (Math.min(...outputs) > Math.max(...inputs)) return
  run("build", "npm", ["run", "build"])
}

const unpack = (tarball) => {
  mkdirSync(join(project, "node_modules"), { recursive: true })
  execFileSync("tar", ["-xzf", tarball, "-C", temp])
  cpSync(join(temp, "package"), join(project, "node_modules", name), { recursive: true })
  for (const dependency of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    if (!optionalPeers.includes(dependency)) install(dependency)
  }
}

const install = (dependency) => {
  const link = join(project, "node_modules", dependency)
  mkdirSync(dirname(link), { recursive: true })
  symlinkSync(join(root, "node_modules", dependency), link)
}

/**
 * Loads the index and every subpath; both must be the same modules, and nothing internal may be reachable. What needs a peer
 * that is not there fails, and nothing else does.
 */
const loads = (load) => `
const assert = require("node:assert/strict")
const main = async () => {
  const index = await ${load(name)}
  const subpaths = ${JSON.stringify(subpaths)}
  const notInIndex = ${JSON.stringify(notInIndex)}
  for (const path of subpaths) {
    if (${JSON.stringify(withPeer)}.includes(path)) {
      await assert.rejects(async () => ${load(`${name}/\${path}`)}, /@effect\\/ai/, path)
      continue
    }
    const module = await ${load(`${name}/\${path}`)}
    const names = Object.keys(module)
    assert.ok(names.length > 0, path + " exports nothing")
    if (notInIndex.includes(path)) continue
    assert.deepEqual(Object.keys(index[path]).sort(), names.sort(), path)
    for (const name of names) assert.equal(index[path][name], module[name], path + "." + name)
  }
  assert.deepEqual(Object.keys(index).sort(), subpaths.filter((path) => !notInIndex.includes(path)).sort())
  for (const path of ["internal/json", "internal/json.js", "dist/index.js", "Nothing"])
    await assert.rejects(async () => ${load(`${name}/\${path}`)}, { code: "ERR_PACKAGE_PATH_NOT_EXPORTED" }, path)
}
main().catch((error) => { console.error(error); process.exitCode = 1 })
`

/** With the peer, these load and compile. */
const bridges = (load) => `
const assert = require("node:assert/strict")
const main = async () => {
  for (const path of ${JSON.stringify(withPeer)}) {
    assert.equal(typeof (await ${load(`${name}/\${path}`)}).fallback, "function", path)
  }
}
main().catch((error) => { console.error(error); process.exitCode = 1 })
`
const bridged = `import type { LanguageModel } from "@effect/ai/LanguageModel"
import type { Layer } from "effect/Layer"
import { ChatModel } from "${name}"
import * as GatewayLanguageModel from "${name}/GatewayLanguageModel"
import * as GatewayEmbeddingModel from "${name}/GatewayEmbeddingModel"

export const layer: Layer<LanguageModel, never, ChatModel.ChatModel> = GatewayLanguageModel.layerChatModel
// @ts-expect-error The types are real, not any.
export const wrong: number = GatewayEmbeddingModel.fallback
`

const present = subpaths.filter((path) => !withPeer.includes(path))

const consumer = `import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { AiGateway, type AiGatewayError, ChatModel, LocalGateway, OpenAi } from "${name}"
${present.map((path) => `import * as ${path}_ from "${name}/${path}"`).join("\n")}
// @ts-expect-error Nothing internal is there.
import type * as Json from "${name}/internal/json"

const gateway: LocalGateway.LocalGateway = LocalGateway_.make({
  token: null,
  upstreams: { openai: LocalGateway.always(LocalGateway.text("Hello from the tarball")) }
})
const layer = OpenAi.layer().pipe(
  Layer.provideMerge(AiGateway.layer({ accountId: "local-account", gatewayId: "local-gateway" })),
  Layer.provideMerge(LocalGateway.layerFrom(gateway))
)
// @ts-expect-error A model's name is a text: the types are real, not any.
export const wrong = () => OpenAi.model(1)

const program: Effect.Effect<string, AiGatewayError.AiGatewayError> = Effect.gen(function* () {
  const answer = yield* OpenAi_.model("gpt-5-mini").chat("hello")
  return answer.text
}).pipe(Effect.provide(layer))

// Types that a module only re-exports: what bundled declarations lose.
export type Types = [
  LocalGateway.Reply,
  LocalGateway.RecordedRequest,
  ChatModel.ChatModel,
  AiGateway.ProviderRequest,
  LocalGateway_.Reply,
  AiGateway_.ProviderRequest
]
export const all = [${present.map((path) => `${path}_`).join(", ")}, ChatModel, Stream]
export type { Json }
Effect.runPromise(program).then((text) => console.log(text))
`

const compiles = (what, files) => {
  inProject(
    "tsconfig.json",
    JSON.stringify({
      compilerOptions: {
        target: "ES2022",
        lib: ["ES2022", "DOM", "DOM.Iterable"],
        module: "NodeNext",
        moduleResolution: "NodeNext",
        strict: true,
        exactOptionalPropertyTypes: true,
        types: [],
        outDir: "out"
      },
      files
    })
  )
  run(`${what}: strict, NodeNext, library types checked`, bin("tsc"), [], project)
}

const typeChecks = () => {
  inProject("consumer.mts", consumer)
  inProject("consumer.cts", consumer)
  compiles("ESM and CJS consumers compile", ["consumer.mts", "consumer.cts"])
  for (const extension of ["mjs", "cjs"]) {
    const out = run(
      `compiled consumer.${extension} runs`,
      process.execPath,
      [`out/consumer.${extension}`],
      project
    )
    if (out.trim() === "Hello from the tarball") continue
    console.error(`packaging: FAILED  consumer.${extension} printed ${JSON.stringify(out)}`)
    process.exitCode = 1
  }
}

try {
  buildIfNeeded()
  run("exports, index, what dist imports", process.execPath, ["test/packaging/exports.mjs", "--dist"])
  const [packed] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", temp], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"]
    })
  )
  const stray = packed.files.map(({ path }) => path).filter((path) => !/^(dist|src)\/|^[\w.]+$/.test(path))
  if (stray.length > 0) {
    console.error(`packaging: FAILED  packed and not meant to be: ${stray.join(", ")}`)
    process.exitCode = 1
  }
  console.log(`packaging: ${packed.filename}, ${packed.files.length} files, ${packed.size} bytes`)
  const tarball = join(temp, packed.filename)
  run("publint --strict", bin("publint"), ["run", tarball, "--strict"])
  run("attw --profile node16", bin("attw"), [tarball, "--profile", "node16", "--no-color"])
  unpack(tarball)
  const esm = (path) => `import(\`${path}\`)`
  const cjs = (path) => `require(\`${path}\`)`
  const without = `without ${optionalPeers.join(", ")}`
  node(`import of the index and ${present.length} subpaths, ${without}`, "load.cjs", loads(esm))
  node(`require of the index and ${present.length} subpaths, ${without}`, "require.cjs", loads(cjs))
  typeChecks()
  for (const peer of optionalPeers) install(peer)
  node(`import of ${withPeer.join(", ")}`, "bridges.cjs", bridges(esm))
  node(`require of ${withPeer.join(", ")}`, "bridges-require.cjs", bridges(cjs))
  inProject("bridges.mts", bridged)
  inProject("bridges.cts", bridged)
  compiles("consumers of both compile", ["bridges.mts", "bridges.cts"])
} finally {
  if (!process.argv.includes("--keep")) rmSync(temp, { recursive: true, force: true })
  else console.log(`packaging: kept ${temp}`)
}
console.log(`packaging: ${process.exitCode ? "FAILED" : "all checks passed"}`)
