// Fails if modules of src import each other in a circle, type-only imports included.
// `node test/packaging/cycles.mjs [folder]`
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import process from "node:process"
import ts from "typescript"

const root = resolve(process.argv[2] ?? "src")

const files = readdirSync(root, { recursive: true })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => join(root, file))
  .sort()

/** Of the text alone, types or not: `import`, `export … from`, `import("./x.js")`. */
const importsOf = (file) =>
  ts
    .preProcessFile(readFileSync(file, "utf8"), true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => name.startsWith("."))

const imports = new Map()
const missing = []
for (const file of files) {
  const targets = new Set()
  for (const target of importsOf(file)) {
    const path = resolve(dirname(file), target.replace(/\.js$/, ".ts"))
    if (files.includes(path)) targets.add(path)
    else missing.push(`${relative(root, file)} imports ${target}, which is no file of ${relative(".", root)}`)
  }
  imports.set(file, [...targets])
}

/** Tarjan: every strongly connected component of more than one module, or of one that imports itself. */
const components = () => {
  const found = []
  const indexOf = new Map()
  const lowOf = new Map()
  const stack = []
  const visit = (file) => {
    indexOf.set(file, indexOf.size)
    lowOf.set(file, indexOf.get(file))
    stack.push(file)
    for (const target of imports.get(file)) {
      if (!indexOf.has(target)) {
        visit(target)
        lowOf.set(file, Math.min(lowOf.get(file), lowOf.get(target)))
      } else if (stack.includes(target)) {
        lowOf.set(file, Math.min(lowOf.get(file), indexOf.get(target)))
      }
    }
    if (lowOf.get(file) !== indexOf.get(file)) return
    const component = stack.splice(stack.indexOf(file))
    if (component.length > 1 || imports.get(file).includes(file)) found.push(component)
  }
  for (const file of files) if (!indexOf.has(file)) visit(file)
  return found
}

/** A shortest way inside the component from its first module back to it. */
const circleOf = (component) => {
  const [start] = component
  const cameFrom = new Map()
  const queue = [start]
  for (const file of queue) {
    for (const target of imports.get(file)) {
      if (!component.includes(target) || cameFrom.has(target)) continue
      cameFrom.set(target, file)
      queue.push(target)
    }
  }
  const circle = [start]
  do circle.unshift(cameFrom.get(circle[0]))
  while (circle[0] !== start)
  return circle.map((file) => relative(root, file)).join(" -> ")
}

const edges = [...imports.values()].reduce((sum, targets) => sum + targets.length, 0)
const problems = [...missing, ...components().map((component) => `circle: ${circleOf(component)}`)]
if (files.length === 0 || edges === 0) problems.push(`nothing to check in ${root}`)

for (const problem of problems) console.error(problem)
console.log(`cycles: ${files.length} modules, ${edges} imports, ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
