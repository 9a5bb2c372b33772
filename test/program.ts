/**
 * How a program of `examples` is started on the runtime that the tests run on: the program, and what stands before the
 * program's own arguments. Deno has no module hooks for tsx, so there vite-node reads the TypeScript.
 */
import process from "node:process"

export const program = (script: string): readonly [program: string, args: ReadonlyArray<string>] =>
  process.versions.deno === undefined
    ? [process.execPath, ["--import", "tsx", script]]
    : [
        process.execPath,
        [
          "run",
          "-A",
          "--node-modules-dir=manual",
          "node_modules/vite-node/vite-node.mjs",
          ...["--config", "vitest.config.ts", script, "--"]
        ]
      ]
