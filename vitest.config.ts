import { fileURLToPath } from "node:url"
import { configDefaults, defineConfig } from "vitest/config"

const src = (file: string) => fileURLToPath(new URL(`./src/${file}`, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^effect-ai-gateway$/, replacement: src("index.ts") },
      { find: /^effect-ai-gateway\/(.+)$/, replacement: src("$1.ts") }
    ]
  },
  test: {
    include: ["test/**/*.test.ts"],
    // These run in `workerd`: `npm run test:workers`.
    // And these in Chromium, and on every runtime: `npm run matrix`.
    exclude: [...configDefaults.exclude, "test/workers/**", "test/browser/**", "test/matrix/**"],
    passWithNoTests: false,
    dangerouslyIgnoreUnhandledErrors: false
  }
})
