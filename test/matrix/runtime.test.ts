import { spawnSync } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import { found, variable } from "./runtime.js"

const expected = process.env[variable]
const told = () => `${found().name} ${found().version}`

describe("these tests run", () => {
  it.runIf(expected !== undefined)("on the runtime that `npm run matrix` asked for", () => {
    assert.strictEqual(told(), expected)
  })

  it("on a runtime whose own global object says the same", () => {
    assert.strictEqual("Bun" in globalThis, found().name === "bun")
    assert.strictEqual("Deno" in globalThis, found().name === "deno")
  })

  it("and start their programs on that same runtime", () => {
    const { stderr, stdout } = spawnSync(process.execPath, ["--version"], { encoding: "utf8" })
    assert.include(stdout, found().version, stderr)
  })
})
