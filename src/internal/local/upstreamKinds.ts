/** What stands behind a gateway, part of the public module `LocalGateway`. */
import type { UpstreamRequest } from "./records.js"
import { echo } from "./replies.js"
import type { Reply } from "./reply.js"

/**
 * What stands behind the gateway for one provider. Make one with `script`, `handler` or `forward`.
 *
 * @since 0.1.0
 * @category models
 */
export type Upstream =
  | { readonly _tag: "Script"; readonly replies: ReadonlyArray<Reply>; readonly afterwards: Reply }
  | { readonly _tag: "Handler"; readonly handle: (request: UpstreamRequest) => Reply | Promise<Reply> }
  | { readonly _tag: "Forward"; readonly baseUrl: string; readonly fetch?: typeof fetch | undefined }

/**
 * Answers the nth request to the provider with the nth reply (a retry counts as a request), and all later
 * ones with `afterwards`.
 *
 * @since 0.1.0
 * @category upstreams
 */
export const script = (replies: ReadonlyArray<Reply>, afterwards: Reply = echo): Upstream => ({
  _tag: "Script",
  replies,
  afterwards
})

/**
 * Answers every request with the reply.
 *
 * @since 0.1.0
 * @category upstreams
 */
export const always = (reply: Reply): Upstream => script([], reply)

/**
 * Answers with what the function makes of the request.
 *
 * @since 0.1.0
 * @category upstreams
 */
export const handler = (handle: (request: UpstreamRequest) => Reply | Promise<Reply>): Upstream => ({
  _tag: "Handler",
  handle
})

/**
 * Sends requests on to a base URL, the provider itself or a fake of it: `{baseUrl}/{endpoint}`. Streams pass
 * through as they come; a client that goes away ends the request to the base URL. A base URL that cannot be
 * reached is a failed provider (400, code 2005).
 *
 * @since 0.1.0
 * @category upstreams
 */
export const forward = (
  baseUrl: string,
  options?: { readonly fetch?: typeof fetch | undefined }
): Upstream => ({
  _tag: "Forward",
  baseUrl,
  fetch: options?.fetch
})
