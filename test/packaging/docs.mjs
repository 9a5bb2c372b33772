// Compiles every ```ts block of README.md and of the `@example`s in src/*.ts, with the repository's strict tsconfig.
// A name that a block leans on is imported, at the block's end so that lines stay: from an earlier block of the README,
// docs-preamble.ts, this library, or a module of effect. A fragment has `<!-- docs: fragment -->` before it.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import ts from "typescript"

const here = dirname(fileURLToPath(import.meta.url))
const root = resolve(here, "../..")
const folder = join(root, `.docs-${process.pid}`)

let fragments = 0

/** The blocks of a file, each padded with empty lines so that its lines have the source's numbers. */
const blocksOf = (file) => {
  const readme = file === "README.md"
  const fence = readme ? /^\s*```ts\s*$/ : /^\s*\* ```ts\s*$/
  const close = readme ? /^\s*```\s*$/ : /^\s*\* ```\s*$/
  const lines = readFileSync(join(root, file), "utf8").split("\n")
  const blocks = []
  for (let at = 0; at < lines.length; at++) {
    if (!fence.test(lines[at])) continue
    const start = at + 1
    let end = start
    while (end < lines.length && !close.test(lines[end])) end++
    if (end === lines.length) throw new Error(`${file}:${start}: a block without an end`)
    const before = lines.slice(0, at).findLast((line) => line.trim() !== "")
    const section = lines.slice(0, at).findLastIndex((line) => /^##+ /.test(line))
    at = end
    if (readme && before?.trim() === "<!-- docs: fragment -->") {
      fragments++
      continue
    }
    const code = lines.slice(start, end).map((line) => (readme ? line : line.replace(/^\s*\* ?/, "")))
    blocks.push({ file, readme, section, text: "\n".repeat(start) + code.join("\n") })
  }
  return blocks
}

/** The names that a file declares at its top level. */
const declared = (text) => {
  const names = []
  const binding = (name) => {
    if (ts.isIdentifier(name)) names.push(name.text)
    else for (const element of name.elements) if (!ts.isOmittedExpression(element)) binding(element.name)
  }
  for (const node of ts.createSourceFile("block.ts", text, ts.ScriptTarget.ES2022).statements) {
    if (ts.isVariableStatement(node)) for (const { name } of node.declarationList.declarations) binding(name)
    else if (ts.isExportDeclaration(node) && node.exportClause && ts.isNamedExports(node.exportClause))
      for (const { name } of node.exportClause.elements) names.push(name.text)
    else if ((ts.isClassDeclaration(node) || ts.isFunctionDeclaration(node)) && node.name)
      names.push(node.name.text)
  }
  return names
}

const preamble = join(here, "docs-preamble.ts")
const preambleNames = existsSync(preamble) ? declared(readFileSync(preamble, "utf8")) : []

/** The import of a name that block `index` does not declare, or nothing. */
const importOf = (blocks, index, name) => {
  if (blocks[index].readme) {
    // The nearest of the same section; else the first snippet of all, which every reader has seen; else the nearest.
    const earlier = blocks
      .map((_, at) => at)
      .filter((at) => at < index && blocks[at].readme && blocks[at].names.includes(name))
    const same = earlier.findLast((at) => blocks[at].section === blocks[index].section)
    const from = same ?? (earlier[0] === 0 ? 0 : earlier.at(-1))
    if (from !== undefined) return `import { ${name} } from "./block${from}.js"`
  }
  if (preambleNames.includes(name)) return `import { ${name} } from "../test/packaging/docs-preamble.js"`
  if (existsSync(join(root, "src", `${name}.ts`)))
    return `import * as ${name} from "effect-ai-gateway/${name}"`
  for (const library of ["effect", "@effect/platform"])
    if (existsSync(join(root, "node_modules", library, "src", `${name}.ts`)))
      return `import * as ${name} from "${library}/${name}"`
  return undefined
}

const sources = readdirSync(join(root, "src")).filter((file) => file.endsWith(".ts"))
const blocks = ["README.md", ...sources.sort().map((file) => `src/${file}`)].flatMap(blocksOf)
for (const block of blocks) block.names = declared(block.text)

const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile)
const { options } = ts.parseJsonConfigFileContent({ ...config, files: [], include: [] }, ts.sys, root)
Object.assign(options, { noUnusedLocals: false, noUnusedParameters: false, declaration: false })

const pathOf = (index) => join(folder, `block${index}.ts`)
const write = (block, index, imports) =>
  writeFileSync(pathOf(index), `${block.text}\n${imports.join("\n")}\nexport { ${block.names.join(", ")} }\n`)

/** The names that a block uses and neither declares nor imports; some too many do no harm. */
const undeclared = (text) => {
  const used = new Set()
  const bound = new Set()
  const visit = (node) => {
    if (ts.isIdentifier(node)) {
      const { parent } = node
      const names = parent.name === node && !ts.isShorthandPropertyAssignment(parent)
      if (!names && parent.propertyName !== node) used.add(node.text)
      else if (!ts.isPropertyAccessExpression(parent) && !ts.isPropertyAssignment(parent))
        bound.add(node.text)
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile("block.ts", text, ts.ScriptTarget.ES2022, true))
  return [...used].filter((name) => !bound.has(name) && !(name in globalThis) && name !== "Record")
}

const failures = []
try {
  mkdirSync(folder)
  blocks.forEach((block, index) => {
    write(
      block,
      index,
      undeclared(block.text).flatMap((name) => importOf(blocks, index, name) ?? [])
    )
  })
  const program = ts.createProgram(
    [join(here, "docs-workers.d.ts"), ...blocks.map((_, index) => pathOf(index))],
    options
  )
  for (const found of [
    ...program.getOptionsDiagnostics(),
    ...blocks.flatMap((_, index) => {
      const file = program.getSourceFile(pathOf(index))
      return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
    })
  ]) {
    const message = ts.flattenDiagnosticMessageText(found.messageText, "\n  ")
    const block = found.file && blocks[Number(/block(\d+)\.ts$/.exec(found.file.fileName)?.[1])]
    const line = found.file && found.file.getLineAndCharacterOfPosition(found.start).line + 1
    failures.push(`${block ? `${block.file}:${line}` : "tsconfig.json"}: TS${found.code} ${message}`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

for (const failure of failures) console.error(failure)
console.log(`${blocks.length} blocks compiled, ${fragments} fragments left out, ${failures.length} errors`)
if (blocks.length === 0 || failures.length > 0) process.exitCode = 1
