import { readdirSync } from "node:fs"
import { defineConfig, type Options } from "tsup"

/** Every file at the top of `src` is a public module, and so an entry of its own. */
const entry = readdirSync("src")
  .filter((file) => file.endsWith(".ts"))
  .map((file) => `src/${file}`)

/**
 * The index names the other entries and holds nothing itself. Were it bundled with them, each would carry an object of all
 * its exports for the index to give away, and a bundler could leave out none of them: a Worker that imports the modules it
 * needs by their own paths would be a tenth larger.
 */
const bareIndex: NonNullable<Options["esbuildPlugins"]>[number] = {
  name: "bare-index",
  setup: ({ initialOptions, onResolve }) => {
    // For CommonJS esbuild's own format is "esm", too: tsup turns that into the other.
    if (initialOptions.define?.TSUP_FORMAT !== '"esm"') return
    onResolve({ filter: /^\.\// }, ({ importer, path }) =>
      /\bsrc[\\/]index\.ts$/.test(importer) ? { path, external: true } : undefined
    )
  }
}

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
  external: [/^node:/],
  esbuildPlugins: [bareIndex]
})
