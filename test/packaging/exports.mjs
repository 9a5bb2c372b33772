// package.json `exports` and src/index.ts against the public modules, which are the files of src.
//   node test/packaging/exports.mjs           fails with the difference
//   node test/packaging/exports.mjs --write   rewrites package.json
//   node test/packaging/exports.mjs --dist    also looks at what the built entries import
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { builtinModules } from "node:module"
import { dirname, join, relative, resolve } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import ts from "typescript"

const root = fileURLToPath(new URL("../..", import.meta.url))
const manifestFile = join(root, "package.json")

/** Modules that need Node: only ever a subpath. */
const nodeOnly = ["LocalGatewayServer"]

/** Modules that need a peer which nobody has to install: only ever a subpath. */
const optional = { GatewayEmbeddingModel: "@effect/ai", GatewayLanguageModel: "@effect/ai" }

const onlySubpath = [...nodeOnly, ...Object.keys(optional)]

/** What dist may import from outside itself: Effect by module, because a barrel costs at start. */
const allowedImports = [
  /^effect\/\w+$/,
  /^@effect\/platform\/\w+$/,
  /^eventsource-parser(\/stream)?$/,
  /^aws4fetch$/
]

const problems = []
const missing = new Set()

const modules = readdirSync(join(root, "src"))
  .filter((file) => file.endsWith(".ts") && file !== "index.ts")
  .map((file) => file.slice(0, -3))
  .sort()

const entryOf = (name) => ({
  import: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
  require: { types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` }
})

const expected = {
  "./package.json": "./package.json",
  ".": entryOf("index"),
  ...Object.fromEntries(modules.map((name) => [`./${name}`, entryOf(name)])),
  "./internal/*": null
}

const lines = (value) => JSON.stringify(value, null, 2).split("\n")

const checkManifest = () => {
  const manifest = JSON.parse(readFileSync(manifestFile, "utf8"))
  const actual = manifest.exports ?? {}
  // As text: the order of conditions is part of their meaning.
  if (JSON.stringify(actual) === JSON.stringify(expected)) return
  if (process.argv.includes("--write")) {
    writeFileSync(manifestFile, `${JSON.stringify({ ...manifest, exports: expected }, null, 2)}\n`)
    console.log("exports: package.json rewritten")
    return
  }
  problems.push("package.json `exports` is not what src says (node test/packaging/exports.mjs --write):")
  for (const key of new Set([...Object.keys(actual), ...Object.keys(expected)])) {
    if (JSON.stringify(actual[key]) === JSON.stringify(expected[key])) continue
    if (key in actual) problems.push(...lines({ [key]: actual[key] }).map((line) => `- ${line}`))
    if (key in expected) problems.push(...lines({ [key]: expected[key] }).map((line) => `+ ${line}`))
  }
  if (problems.length === 1) problems.push(`  only the order differs: ${Object.keys(expected).join(", ")}`)
}

const checkIndex = () => {
  const source = ts.createSourceFile(
    "index.ts",
    readFileSync(join(root, "src/index.ts"), "utf8"),
    ts.ScriptTarget.ES2022
  )
  const exported = new Set()
  for (const statement of source.statements) {
    const clause = ts.isExportDeclaration(statement) ? statement.exportClause : undefined
    const name = clause !== undefined && ts.isNamespaceExport(clause) ? clause.name.text : undefined
    if (name === undefined || statement.moduleSpecifier.text !== `./${name}.js`) {
      problems.push(`src/index.ts has something other than \`export * as X from "./X.js"\`: ${name ?? "?"}`)
    } else exported.add(name)
  }
  for (const name of modules) {
    if (exported.has(name) === onlySubpath.includes(name))
      problems.push(`src/index.ts must ${exported.has(name) ? "not " : ""}export ${name}`)
  }
  for (const name of exported) if (!modules.includes(name)) problems.push(`src/${name}.ts does not exist`)
}

const isBuiltin = (specifier) =>
  specifier.startsWith("node:") || builtinModules.includes(specifier.replace(/\/.*$/, ""))

/** Every import that a built file leads to, with the file it stands in; `require` too, for CommonJS. */
const importsOf = (start) => {
  const outside = []
  const queue = [start]
  for (const file of queue) {
    for (const { fileName } of ts.preProcessFile(readFileSync(file, "utf8"), true, true).importedFiles) {
      if (!fileName.startsWith(".")) outside.push({ specifier: fileName, file: relative(root, file) })
      else {
        const declared = /\.d\.c?ts$/.test(file) ? fileName.replace(/\.(c?)js$/, ".d.$1ts") : fileName
        const path = resolve(dirname(file), declared)
        if (!existsSync(path)) missing.add(`${relative(root, file)} imports ${fileName}, which is missing`)
        else if (!queue.includes(path)) queue.push(path)
      }
    }
  }
  return outside
}

const checkDist = () => {
  let seen = 0
  for (const name of ["index", ...modules]) {
    for (const extension of ["d.ts", "d.cts", "js", "cjs"]) {
      const file = join(root, "dist", `${name}.${extension}`)
      if (!existsSync(file)) {
        problems.push(`dist/${name}.${extension} is missing: npm run build`)
        continue
      }
      const isCode = !extension.startsWith("d.")
      const outside = importsOf(file)
      seen += outside.length
      for (const { specifier, file: where } of outside) {
        if (isBuiltin(specifier)) {
          if (!nodeOnly.includes(name))
            problems.push(`dist/${name}.${extension} needs Node: ${where} imports ${specifier}`)
        } else if (specifier.startsWith("@effect/ai/")) {
          // Types as well: a program without the peer would not compile.
          if (optional[name] !== "@effect/ai")
            problems.push(`dist/${name}.${extension} needs an optional peer: ${where} imports ${specifier}`)
        } else if (isCode && !allowedImports.some((allowed) => allowed.test(specifier))) {
          problems.push(`dist/${name}.${extension}: ${where} imports ${specifier}`)
        }
      }
      // Also the negative control: what does import Node is seen to.
      const peer = optional[name]
      if (peer !== undefined && !outside.some(({ specifier }) => specifier.startsWith(`${peer}/`)))
        problems.push(`dist/${name}.${extension} should import ${peer} and does not: is this check blind?`)
      if (isCode && nodeOnly.includes(name) && !outside.some(({ specifier }) => isBuiltin(specifier)))
        problems.push(`dist/${name}.${extension} should import Node and does not: is this check blind?`)
    }
  }
  problems.push(...missing)
  if (seen === 0) problems.push("dist imports nothing at all: is Effect bundled into it?")
  console.log(`exports: dist, ${seen} imports from outside`)
}

checkManifest()
checkIndex()
if (process.argv.includes("--dist")) checkDist()

for (const problem of problems) console.error(problem)
console.log(
  `exports: ${modules.length} public modules, ${problems.length === 0 ? "in order" : "NOT in order"}`
)
process.exitCode = problems.length === 0 ? 0 : 1
