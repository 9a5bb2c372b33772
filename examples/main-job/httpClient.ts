/**
 * What carries the requests. On Node undici costs a third of what `fetch` costs; Bun answers an import of undici with
 * a stub that cannot send anything, and has a `fetch` of its own.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"

export const layer = process.versions.bun === undefined ? NodeHttpClient.layerUndici : FetchHttpClient.layer
