// Runs every program of examples/*.ts, and the Worker's check, as a user would: each must end by itself, with exit code 0,
// within a minute.
import { spawn } from "node:child_process"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const limit = 60_000

const examples = readdirSync(join(root, "examples"))
  .filter((file) => file.endsWith(".ts"))
  .sort()
  .concat("worker/check.ts")

const run = (file) =>
  new Promise((resolve) => {
    const started = performance.now()
    // A group of its own, so that nothing the example starts outlives the limit.
    const child = spawn(process.execPath, ["--import", "tsx", join("examples", file)], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true
    })
    let output = ""
    let late = false
    child.stdout.on("data", (chunk) => {
      output += chunk
    })
    child.stderr.on("data", (chunk) => {
      output += chunk
    })
    const timer = setTimeout(() => {
      late = true
      process.kill(-child.pid, "SIGKILL")
    }, limit)
    child.on("close", (code, signal) => {
      clearTimeout(timer)
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      resolve({ ok: code === 0, how: late ? "still running" : `exit ${code ?? signal}`, seconds, output })
    })
  })

let failed = 0
for (const file of examples) {
  const { ok, how, seconds, output } = await run(file)
  console.log(`examples: ${ok ? "ok     " : "FAILED "} ${file}, ${how} after ${seconds} s`)
  if (ok) continue
  failed++
  console.error(output)
}
if (examples.length === 0) console.error("examples: there is none")
console.log(`examples: ${examples.length - failed} of ${examples.length} ran`)
process.exitCode = failed > 0 || examples.length === 0 ? 1 : 0
