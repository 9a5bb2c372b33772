import { readdirSync } from "node:fs"
import { defineConfig } from "tsup"

/** Every file at the top of `src` is a public module, and so an entry of its own. */
const entry = readdirSync("src")
  .filter((file) => file.endsWith(".ts"))
  .map((file) => `src/${file}`)

export default defineConfig({
  entry,
  format: ["esm", "cjs"],
  // The declarations are TypeScript's own: a bundler of them turned re-exported types into values.
  dts: false,
  removeNodeProtocol: false,
  splitting: true,
  treeshake: true,
  sourcemap: true,
  clean: true,
  target: "es2022",
  platform: "neutral",
  external: [/^node:/]
})
