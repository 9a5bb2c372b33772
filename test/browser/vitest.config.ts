/// <reference types="@vitest/browser/providers/playwright" />
/** The streaming tests in a real Chromium, against LocalGateway on a loopback socket: another origin than the page's. */
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import base from "../../vitest.config.js"
import { findChromium, flags } from "./chromium.js"

const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const executablePath = findChromium()
if (executablePath === undefined)
  throw new Error(
    "No Chromium: apt-get install chromium, or set CHROMIUM, or npm run matrix -- --only=chromium"
  )

export default defineConfig({
  ...base,
  root: root(""),
  // A dependency that is found late reloads the page in the middle of the tests.
  optimizeDeps: {
    include: [
      "effect",
      "@effect/vitest",
      "@effect/platform/FetchHttpClient",
      "eventsource-parser",
      "aws4fetch"
    ]
  },
  test: {
    ...base.test,
    include: ["test/browser/**/*.test.ts"],
    exclude: [],
    globalSetup: [root("test/browser/globalSetup.ts")],
    // They share the gateway.
    fileParallelism: false,
    browser: {
      enabled: true,
      headless: true,
      provider: "playwright",
      screenshotFailures: false,
      instances: [{ browser: "chromium", launch: { executablePath, args: [...flags] } }]
    }
  }
})
