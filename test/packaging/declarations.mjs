// The .d.ts and .d.cts of dist, one of each for every file of src, after tsup has built the code.
//
// tsup's own would be bundled by rollup-plugin-dts, which turns a type that `export * as X` brings in from another
// chunk into `declare const X_T: typeof T`: then `LocalGateway.Reply` is no type for who imports the index.
import { mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import ts from "typescript"

const root = fileURLToPath(new URL("../..", import.meta.url))
const src = join(root, "src")
const dist = join(root, "dist")

const config = ts.getParsedCommandLineOfConfigFile(
  join(root, "tsconfig.json"),
  {
    noEmit: false,
    emitDeclarationOnly: true,
    declaration: true,
    noEmitOnError: true,
    rootDir: src,
    outDir: dist
  },
  {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
      throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n"))
    }
  }
)

const files = readdirSync(src, { recursive: true })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => join(src, file))

/** The same declarations for CommonJS: what is imported relatively ends in `.cjs`. */
const toCommonJs = (text) => {
  let out = text
  const imported = ts.preProcessFile(text, true, true).importedFiles
  for (const { fileName, pos } of [...imported].sort((a, b) => b.pos - a.pos)) {
    if (!fileName.startsWith(".")) continue
    // `pos` is the quote before the name.
    const end = pos + 1 + fileName.length
    if (out.slice(pos + 1, end) !== fileName || !fileName.endsWith(".js"))
      throw new Error(`Cannot rewrite the import of ${fileName}`)
    out = `${out.slice(0, end - 3)}.cjs${out.slice(end)}`
  }
  return out
}

let written = 0
const program = ts.createProgram(files, config.options)
const { diagnostics } = program.emit(undefined, (file, text) => {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  writeFileSync(file.replace(/\.d\.ts$/, ".d.cts"), toCommonJs(text))
  written += 2
})

const problems = [...ts.getPreEmitDiagnostics(program), ...diagnostics]
if (problems.length > 0) {
  console.error(
    ts.formatDiagnostics(problems, {
      getCanonicalFileName: (file) => file,
      getCurrentDirectory: () => root,
      getNewLine: () => "\n"
    })
  )
  process.exitCode = 1
}
if (written !== 2 * files.length) process.exitCode = 1
console.log(`declarations: ${written} files in ${relative(root, dist)} of ${files.length} modules`)
