import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import base from "../../vitest.config.js"
import { suite } from "./suite.js"

const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

export default defineConfig({
  ...base,
  root: root(""),
  test: {
    ...base.test,
    include: [...suite],
    exclude: [],
    // Much of the suite waits for sockets and clocks: a core more than vitest takes by itself halves the time.
    maxWorkers: availableParallelism(),
    minWorkers: 1,
    testTimeout: 30_000,
    setupFiles: [root("test/matrix/leaveOut.ts")]
  }
})
