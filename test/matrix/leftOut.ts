/**
 * Tests of the suite that a runtime is not asked to pass, and why. The matrix prints every reason with the number of
 * its tests, and fails where one is not needed any more or a test is skipped without one.
 */
import type { Name } from "./runtime.js"

export interface LeftOut {
  readonly runtime: Name
  /** Of a test's full name. */
  readonly tests: RegExp
  readonly why: string
}

export const leftOut: ReadonlyArray<LeftOut> = [
  {
    runtime: "bun",
    tests: /NodeHttpClient\.layerUndici|\(undici\)/,
    why: "Bun answers an import of undici with a stub that has no Dispatcher.request, so NodeHttpClient.layerUndici cannot work there; the same tests run on FetchHttpClient"
  },
  {
    runtime: "bun",
    tests: /^FetchHttpClient .*google-ai-studio is left when its stream is cut before the first text$/,
    why: "Bun's server at times sends the very chunk behind which aimock cuts, so that the first text has come, and a broken stream is right"
  },
  {
    runtime: "deno",
    tests:
      /^a whole answer of (Anthropic|Google) is malformed, if a call's \w+ (is|are) nested too deeply|nested deeper than the stack$/,
    why: "Deno's V8 writes JSON of any depth, so that nothing is too deep to be written there"
  }
]
