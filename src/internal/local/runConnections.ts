/** How a client's connections to a resumable run fare, part of the public module `LocalGateway`. */

/**
 * What happens to one connection to a run: to the stream of `env.AI.run` itself, or to a request that resumes it. The
 * run at the provider goes on whatever happens here. Made with `whole`, `cutAfter`, `silentAfter`, `refusesWith` and
 * `unreachable`.
 *
 * @since 0.1.0
 * @category models
 */
export type RunConnection =
  | { readonly _tag: "Whole" }
  | { readonly _tag: "Cut"; readonly afterEvents: number; readonly bytes: number }
  | { readonly _tag: "Silent"; readonly afterEvents: number }
  | { readonly _tag: "Refused"; readonly status: number; readonly body: unknown; readonly html: boolean }
  | { readonly _tag: "Unreachable" }

/**
 * The connection lasts.
 *
 * @since 0.1.0
 * @category run connections
 */
export const whole: RunConnection = { _tag: "Whole" }

/**
 * The connection breaks after so many complete events of its own (at the end, if there are fewer), and after so many
 * `bytes` of what follows. Default 0 bytes.
 *
 * @since 0.1.0
 * @category run connections
 */
export const cutAfter = (
  afterEvents: number,
  options: { readonly bytes?: number | undefined } = {}
): RunConnection => ({ _tag: "Cut", afterEvents, bytes: options.bytes ?? 0 })

/**
 * The connection says nothing more after so many complete events of its own, and stays open.
 *
 * @since 0.1.0
 * @category run connections
 */
export const silentAfter = (afterEvents: number): RunConnection => ({ _tag: "Silent", afterEvents })

/**
 * The request to resume is answered with this status, and the run is not looked for. The body is by default the
 * gateway's own for 404 (`{"error":"Request not found"}`) and 500 (code 2002), else the gateway's envelope without a
 * code; `html: true` is a page of Cloudflare's edge. The run's own connection cannot be refused: there it is `whole`.
 *
 * @since 0.1.0
 * @category run connections
 */
export const refusesWith = (
  status: number,
  options: { readonly body?: unknown; readonly html?: boolean | undefined } = {}
): RunConnection => ({ _tag: "Refused", status, body: options.body, html: options.html ?? false })

/**
 * The request to resume breaks before any answer. On the run's own connection it is `whole`.
 *
 * @since 0.1.0
 * @category run connections
 */
export const unreachable: RunConnection = { _tag: "Unreachable" }
