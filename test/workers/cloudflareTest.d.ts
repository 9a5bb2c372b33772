declare module "cloudflare:test" {
  /** What `vitest.config.ts` gives the Worker. */
  export const env: {
    readonly AI: import("@cloudflare/workers-types").Ai
    readonly GATEWAY_URL: string
  }
}
