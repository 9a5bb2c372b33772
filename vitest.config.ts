import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

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
    passWithNoTests: false,
    dangerouslyIgnoreUnhandledErrors: false
  }
})
