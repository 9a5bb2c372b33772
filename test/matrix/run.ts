/** One program, its output kept, with an end. */
import { type SpawnOptions, spawn } from "node:child_process"

export interface Ended {
  /** Undefined for a program that had to be ended, or could not be started. */
  readonly code: number | undefined
  readonly output: string
  readonly seconds: number
}

export const run = (
  [program, ...args]: readonly [string, ...ReadonlyArray<string>],
  { limit = 60_000, ...options }: SpawnOptions & { readonly limit?: number } = {}
): Promise<Ended> =>
  new Promise((resolve) => {
    const began = performance.now()
    let output = ""
    const end = (code: number | undefined) =>
      resolve({ code, output, seconds: (performance.now() - began) / 1000 })
    // A group of its own: what the program started ends with it.
    const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"], detached: true })
    const kill = () => {
      if (child.pid === undefined) return
      try {
        process.kill(-child.pid, "SIGKILL")
      } catch {
        // It has ended already.
      }
    }
    const stop = (signal: NodeJS.Signals) => {
      kill()
      process.exit(signal === "SIGINT" ? 130 : 143)
    }
    process.once("SIGINT", stop).once("SIGTERM", stop)
    const timer = setTimeout(() => {
      output += `\nEnded after ${limit / 1000} s.\n`
      kill()
    }, limit)
    const keep = (text: unknown) => {
      output = (output + String(text)).slice(-100_000)
    }
    child.stdout?.on("data", keep)
    child.stderr?.on("data", keep)
    child.once("error", (error) => {
      keep(error.message)
      clearTimeout(timer)
      end(undefined)
    })
    child.once("close", (code) => {
      clearTimeout(timer)
      process.off("SIGINT", stop).off("SIGTERM", stop)
      kill()
      end(code ?? undefined)
    })
  })
