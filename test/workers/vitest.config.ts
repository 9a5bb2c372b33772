/**
 * Tests inside a real `workerd`, against Cloudflare's own binding code. Only what stands behind the binding is ours: its
 * `fetcher`, Cloudflare's network in production, leads to a `LocalGateway` on a loopback socket.
 */
import { fileURLToPath } from "node:url"
import { defineWorkersConfig, type WorkerPoolOptionsContext } from "@cloudflare/vitest-pool-workers/config"

const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** The class `Ai` that production gives a Worker as `env.AI`, from the binary of `workerd` itself. */
const cloudflaresOwn = 'import make from "cloudflare-internal:ai-api"; export default (env) => make(env)'

export default defineWorkersConfig({
  root: root(""),
  resolve: {
    alias: [
      { find: /^effect-ai-gateway$/, replacement: root("src/index.ts") },
      { find: /^effect-ai-gateway\/(.+)$/, replacement: root("src/$1.ts") }
    ]
  },
  test: {
    include: ["test/workers/**/*.test.ts"],
    passWithNoTests: false,
    dangerouslyIgnoreUnhandledErrors: false,
    globalSetup: [root("test/workers/globalSetup.ts")],
    poolOptions: {
      workers: ({ inject }: WorkerPoolOptionsContext) => {
        const address = inject("gatewayAddress")
        return {
          // One file after the other: they share the gateway behind the binding.
          singleWorker: true,
          isolatedStorage: false,
          miniflare: {
            compatibilityDate: "2026-03-01",
            compatibilityFlags: [
              "nodejs_compat",
              // Without it workerd reports every body that breaks while it is read, whoever catches that.
              "unhandled_rejection_after_microtask_checkpoint"
            ],
            bindings: { GATEWAY_URL: `http://${address}` },
            wrappedBindings: { AI: "ai" },
            workers: [
              {
                name: "ai",
                modulesRoot: "/",
                modules: [{ type: "ESModule", path: "/ai.mjs", contents: cloudflaresOwn }],
                serviceBindings: { fetcher: { external: { address, http: {} } } }
              }
            ]
          }
        }
      }
    }
  }
})
