// The module that only a Worker has, as far as snippets use it.
declare module "cloudflare:workers" {
  export const env: { readonly AI: import("@cloudflare/workers-types").Ai }
}
