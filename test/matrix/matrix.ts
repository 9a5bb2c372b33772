/**
 * The main job's test suite on every runtime, and the streaming tests in a real Chromium.
 *
 *   npm run matrix
 *   npm run matrix -- --only=bun,chromium
 *
 * Installs what it needs: the runtimes from npm (`test/matrix/package-lock.json`), Chromium from Debian. One line for
 * each runtime; exit code 1 if a test failed, if none ran, or if one was skipped that `leftOut.ts` gives no reason for.
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { findChromium, places } from "../browser/chromium.js"
import { type LeftOut, leftOut } from "./leftOut.js"
import { type Report, read } from "./report.js"
import { run } from "./run.js"
import { type Name, variable } from "./runtime.js"

const root = fileURLToPath(new URL("../..", import.meta.url))
const home = fileURLToPath(new URL(".", import.meta.url))
const installed = (path: string) => join(home, "node_modules", path)
const vitest = join(root, "node_modules/vitest/vitest.mjs")

/** Far longer than the slowest needs on two busy cores: what hangs is a failure, not a wait. */
const limit = 6 * 60_000

type Command = readonly [program: string, ...args: ReadonlyArray<string>]

interface Runtime {
  /** From npm; Chromium is Debian's. */
  readonly install: boolean
  /** Runs vitest. */
  readonly run: Command
  /** Prints the version: the runtime tells it, not the lock file. */
  readonly version: Command
  readonly config: string
  /** As which the tests know it. */
  readonly name: Name | "chromium"
}

const suite = "test/matrix/vitest.config.ts"
const node = (program: string, install: boolean): Runtime => ({
  install,
  run: [program, vitest],
  version: [program, "--version"],
  config: suite,
  name: "node"
})
const bun = installed(".bin/bun")
const deno = installed(".bin/deno")

const runtimes: Readonly<Record<string, () => Runtime>> = {
  node: () => node(process.execPath, false),
  node22: () => node(installed("node22/bin/node"), true),
  node24: () => node(installed("node24/bin/node"), true),
  bun: () => ({
    install: true,
    run: [bun, "--bun", vitest],
    version: [bun, "--version"],
    config: suite,
    name: "bun"
  }),
  deno: () => ({
    install: true,
    run: [deno, "run", "-A", "--node-modules-dir=manual", vitest],
    version: [deno, "--version"],
    config: suite,
    name: "deno"
  }),
  chromium: () => ({
    install: false,
    run: [process.execPath, vitest],
    version: [findChromium() ?? "chromium", "--version"],
    config: "test/browser/vitest.config.ts",
    name: "chromium"
  })
}

const fail = (message: string): never => {
  console.error(message)
  process.exit(1)
}

const chosen = (): ReadonlyArray<string> => {
  const all = Object.keys(runtimes)
  const only = /^--only=(.+)$/
  const named: Array<string> = []
  for (const arg of process.argv.slice(2)) {
    const [, list] = only.exec(arg) ?? fail(`Unknown argument ${arg}. See: npm run matrix -- --only=${all}`)
    named.push(...(list ?? "").split(","))
  }
  for (const name of named)
    if (!all.includes(name)) fail(`No runtime is called "${name}". There are: ${all.join(", ")}`)
  return named.length === 0 ? all : all.filter((name) => named.includes(name))
}

const step = (what: string, [program, ...args]: Command, env = process.env): void => {
  console.log(`${what}: ${[program, ...args].join(" ")}`)
  const { error, status } = spawnSync(program, args, { cwd: root, env, stdio: "inherit" })
  if (error !== undefined || status !== 0)
    fail(`${what} failed${error === undefined ? ` with exit code ${status}` : `: ${error.message}`}.`)
}

/** What npm writes last when it has installed a lock file. */
const isInstalled = (): boolean => {
  const written = installed(".package-lock.json")
  if (!existsSync(written)) return false
  const versions = (file: string) =>
    Object.entries(
      (JSON.parse(readFileSync(file, "utf8")) as { packages: Record<string, { version?: string }> }).packages
    )
  const there = new Map(versions(written).map(([path, { version }]) => [path, version]))
  const wanted = versions(join(home, "package-lock.json"))
  return ["bun", "deno", "node22", "node24"].every((name) => {
    const path = `node_modules/${name}`
    return wanted.some(([key, { version }]) => key === path && version === there.get(path))
  })
}

const installRuntimes = (): void => {
  if (!isInstalled())
    step("Installing the runtimes", ["npm", "ci", "--no-audit", "--no-fund", "--prefix", "test/matrix"])
}

const installChromium = (): void => {
  if (findChromium() !== undefined) return
  if (process.getuid?.() !== 0)
    fail(
      `There is no Chromium at ${places.join(" or ")}, and only root can install it: apt-get install chromium`
    )
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
  const install: Command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
  step("Looking for Chromium", ["apt-get", "update", "-qq"], env)
  step("Installing Chromium", install, env)
  if (findChromium() === undefined) fail(`Chromium was installed, but not at ${places.join(" or ")}.`)
}

const versionOf = async (runtime: Runtime): Promise<string | undefined> => {
  const { code, output } = await run(runtime.version)
  return code === 0 ? /\d+\.\d+\.\d+(\.\d+)?/.exec(output)?.[0] : undefined
}

const reasons = ({ name }: Runtime): ReadonlyArray<LeftOut> =>
  leftOut.filter(({ runtime }) => runtime === name)

/** Every skipped test has a reason, and every reason a test. */
const complaints = (runtime: Runtime, report: Report): ReadonlyArray<string> => [
  ...report.skipped
    .filter(({ name }) => !reasons(runtime).some(({ tests }) => tests.test(name)))
    .map(({ file, name }) => `skipped without a reason: ${name} (${file})`),
  ...reasons(runtime)
    .filter(({ tests }) => !report.skipped.some(({ name }) => tests.test(name)))
    .map(({ why }) => `no test was left out for this reason any more: ${why}`)
]

const show = (report: Report): void => {
  for (const { failures, file, name } of report.failed.slice(0, 20))
    console.log(
      `    ✗ ${file.replace(root, "")}: ${name}\n      ${failures.join("\n").split("\n").slice(0, 8).join("\n      ")}`
    )
  if (report.failed.length > 20) console.log(`    and ${report.failed.length - 20} more`)
}

const isFine = async (label: string, runtime: Runtime, reports: string): Promise<boolean> => {
  const version = await versionOf(runtime)
  if (version === undefined) {
    console.log(`  ${label.padEnd(9)} cannot be started: ${runtime.version.join(" ")}`)
    return false
  }
  const file = join(reports, `${label}.json`)
  const { code, output, seconds } = await run(
    [...runtime.run, "run", "--config", runtime.config, ...reporters, `--outputFile.json=${file}`],
    {
      cwd: root,
      // The tests compare with what they run on: vitest starts its workers by itself.
      env: { ...process.env, CI: "true", NO_COLOR: "1", [variable]: `${runtime.name} ${version}` },
      limit
    }
  )
  const report = read(file)
  const counts =
    report === undefined
      ? "no report"
      : `${report.passed} passed, ${report.failed.length} failed, ${report.skipped.length} left out`
  console.log(
    `  ${label.padEnd(9)} ${version.padEnd(15)} ${counts.padEnd(42)} ${seconds.toFixed(0).padStart(4)} s`
  )
  const wrong = report === undefined ? [] : complaints(runtime, report)
  for (const { tests, why } of report === undefined ? [] : reasons(runtime))
    console.log(`    ${report?.skipped.filter(({ name }) => tests.test(name)).length} left out: ${why}`)
  for (const complaint of wrong) console.log(`    ${complaint}`)
  if (report !== undefined) show(report)
  const fine =
    code === 0 &&
    report?.success === true &&
    report.failed.length === 0 &&
    report.passed > 0 &&
    wrong.length === 0
  if (!fine && (report === undefined || report.failed.length === 0))
    console.log(`    exit code ${code ?? "none"}\n${output.trim().split("\n").slice(-40).join("\n")}`)
  return fine
}

const names = chosen()
if (names.some((name) => runtimes[name]?.().install)) installRuntimes()
if (names.includes("chromium")) installChromium()

// The JSON has no word about an error that belongs to no test.
const reporters = ["--reporter=default", "--reporter=json"]
const reports = mkdtempSync(join(tmpdir(), "effect-ai-gateway-matrix-"))
const bad: Array<string> = []
console.log("")
for (const name of names) {
  const runtime = runtimes[name]?.()
  if (runtime === undefined || !(await isFine(name, runtime, reports))) bad.push(name)
}
rmSync(reports, { recursive: true, force: true })
console.log(bad.length === 0 ? "\nEvery runtime passes." : `\nNot passing: ${bad.join(", ")}`)
process.exitCode = bad.length === 0 ? 0 : 1
