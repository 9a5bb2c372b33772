import { spawn } from "node:child_process"
import { once } from "node:events"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { program } from "./program.js"

const root = fileURLToPath(new URL("..", import.meta.url))

/** What `npm run gateway` runs, without npm. */
const start = (env: Readonly<Record<string, string>> = {}) => {
  const { PORT: _, ...inherited } = process.env
  const child = spawn(...program("examples/local-gateway/serve.ts"), {
    cwd: root,
    env: { ...inherited, ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })
  const closed = once(child, "close").then(([code]: ReadonlyArray<unknown>) => code)
  let output = ""
  let errors = ""
  child.stderr.on("data", (chunk) => {
    errors += chunk
  })
  const url = new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (chunk) => {
      output += chunk
      const [, found] = /listens at (\S+), until/.exec(output) ?? []
      if (found !== undefined) resolve(found)
    })
    closed.then(() => reject(new Error(errors)))
  })
  url.catch(() => undefined)
  return { child, closed, url, output: () => output, errors: () => errors }
}

describe("npm run gateway", { timeout: 30_000 }, () => {
  it("answers any client at the address that it prints, and ends with Ctrl-C", async () => {
    const gateway = start()
    try {
      const url = await gateway.url
      const response = await fetch(`${url}/v1/local-account/local-gateway/compat/chat/completions`, {
        method: "POST",
        headers: { "cf-aig-authorization": "Bearer local-token", "content-type": "application/json" },
        body: JSON.stringify({ model: "openai/gpt-5-mini", messages: [{ role: "user", content: "hello" }] })
      })
      expect(response.status).toBe(200)
      expect(await response.text()).toContain("You said: hello")
      expect(gateway.output()).toContain(`${url}/v1/local-account/local-gateway/openai`)

      // A port that is taken is said in one line.
      const second = start({ PORT: new URL(url).port })
      expect(await second.closed).toBe(1)
      expect(second.errors().trim()).toMatch(/^Cannot listen on 127\.0\.0\.1:\d+: .*(EADDRINUSE|in use).*$/)

      // Not child.kill: Deno then says that the signal ended the program, whatever its exit code.
      process.kill(gateway.child.pid ?? 0, "SIGINT")
      expect(await gateway.closed).toBe(0)
      await expect(fetch(url)).rejects.toThrow()
    } finally {
      gateway.child.kill("SIGKILL")
    }
  })
})
