/**
 * The log of a gateway: what was asked and answered, and what people thought of it. Entries are read, listed and removed,
 * and an answer is given feedback, a score or metadata in one call.
 *
 * Over HTTPS (`layer`) there are both services: `GatewayLogs`, which reads and patches one entry, and `LogIndex`, which
 * lists and removes. A Worker's binding (`layerBinding`) has no way to list or remove, and gives `GatewayLogs` alone: a
 * program that lists does not compile with it.
 *
 * An entry is there only some seconds after its answer, and so is the place where feedback goes (observed by others: up to
 * five). `LogNotFound` in that time is worth a retry:
 *
 * ```ts
 * GatewayLogs.feedback(answer, { feedback: 1 }).pipe(
 *   Effect.retry({ schedule: Schedule.exponential("1 second"), times: 3, while: (error) => error._tag === "LogNotFound" })
 * )
 * ```
 *
 * Nothing is retried by itself.
 *
 * Source: `protocol/gateway.md` §1.8, §1.9, §5.7.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import type * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import type { GatewayMetadata } from "./GatewayMetadata.js"
import type { InvalidRequest, LegError, LogNotFound } from "./internal/errors.js"
import * as GatewayUrl from "./internal/gatewayUrl.js"
import type { LogBinding } from "./internal/logs/bindingLogs.js"
import * as BindingLogs from "./internal/logs/bindingLogs.js"
import * as HttpLogs from "./internal/logs/httpLogs.js"
import type { LogEntry } from "./internal/logs/logEntry.js"
import type { Patch } from "./internal/logs/logPatch.js"
import type { Query, Removal } from "./internal/logs/logQuery.js"
import * as LogRefusal from "./internal/logs/logRefusal.js"
import * as LogSender from "./internal/logs/logSender.js"
import * as Module from "./internal/providerModule.js"
import { redactGatewayHeaders } from "./internal/redactedHeaders.js"
import * as Https from "./internal/transport/https.js"
import * as WorkersBinding from "./internal/workersBinding.js"

export type { LogBinding } from "./internal/logs/bindingLogs.js"
export { LogEntry } from "./internal/logs/logEntry.js"
export type {
  FeedbackFilter,
  Filter,
  FlagFilter,
  NumberFilter,
  OneOf,
  TextFilter,
  TimeFilter
} from "./internal/logs/logFilter.js"
export type { Patch, PatchData } from "./internal/logs/logPatch.js"
export type { Query, Removal, RemovalBounds } from "./internal/logs/logQuery.js"

/**
 * @since 0.1.0
 * @category symbols
 */
export const TypeId = "~effect-ai-gateway/GatewayLogs"

/**
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

/**
 * What goes wrong with one entry. Of the errors of a request there are those of the account's API: `Unauthorized`,
 * `GatewayNotFound`, `RateLimited`, `ProviderFailure`, `TransportFailure`, …; and `InvalidRequest` for what is wrong before
 * anything is sent.
 *
 * @since 0.1.0
 * @category errors
 */
export type LogError = LogNotFound | LegError

/**
 * The service of single entries.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly [TypeId]: TypeId
  /** How the log is reached. */
  readonly transport: "account" | "binding"
  /** One entry, with the beginnings of its request and its answer. */
  readonly get: (logId: string) => Effect.Effect<LogEntry, LogError>
  /** Gives an entry feedback, a score or metadata. */
  readonly patch: (logId: string, patch: Patch) => Effect.Effect<void, LogError>
}

/**
 * The service of many entries.
 *
 * @since 0.1.0
 * @category models
 */
export interface IndexService {
  /** The entries that fit, page by page, as they are asked for. */
  readonly list: (query?: Query) => Stream.Stream<LogEntry, LegError>
  /**
   * Removes entries. One that is named by its id is looked for first, because the API's answer does not tell: a missing one
   * is `LogNotFound`.
   */
  readonly remove: (removal: Removal) => Effect.Effect<void, LogError>
}

/**
 * The entries of a gateway's log, one by one.
 *
 * @since 0.1.0
 * @category tags
 */
export class GatewayLogs extends Context.Tag("effect-ai-gateway/GatewayLogs")<GatewayLogs, Service>() {}

/**
 * The entries of a gateway's log, all together. A Worker's binding does not have it.
 *
 * @since 0.1.0
 * @category tags
 */
export class LogIndex extends Context.Tag("effect-ai-gateway/GatewayLogs/LogIndex")<
  LogIndex,
  IndexService
>() {}

/**
 * Whose log, and of which gateway.
 *
 * @since 0.1.0
 * @category models
 */
export interface Settings {
  /** The Cloudflare account id. */
  readonly accountId: string
  /** Default `default`, which exists in every account. */
  readonly gatewayId?: string | undefined
  /**
   * A Cloudflare API token with the permission *AI Gateway Read*, and *AI Gateway Edit* to patch and remove. It is sent as
   * `authorization` to this host, and nowhere else.
   */
  readonly token: Redacted.Redacted
  /** Default `https://api.cloudflare.com/client/v4`. */
  readonly baseUrl?: string | undefined
  /** Further headers. */
  readonly headers?: Readonly<Record<string, string | Redacted.Redacted>> | undefined
}

/**
 * Makes both services over HTTPS, in one value. Fails with `InvalidRequest` that names the setting which is missing or
 * wrong.
 *
 * @example
 * ```ts
 * import { GatewayLogs } from "effect-ai-gateway"
 * import { Effect, Redacted } from "effect"
 *
 * const entry = GatewayLogs.make({ accountId: "0123456789abcdef", token: Redacted.make("…") }).pipe(
 *   Effect.flatMap((logs) => logs.get("01JADMCQQQBWH3NXZ5GCRN98DP"))
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  settings: Settings
): Effect.Effect<Service & IndexService, InvalidRequest, HttpClient.HttpClient> =>
  Effect.flatMap(HttpClient.HttpClient, (client) =>
    Either.map(
      Either.all({ url: GatewayUrl.makeLogs(settings), headers: LogSender.logHeaders(settings) }),
      ({ url, headers }) => ({
        [TypeId]: TypeId,
        transport: "account" as const,
        ...HttpLogs.make(LogSender.make(Https.make(client), url, headers))
      })
    )
  )

/**
 * The log of a gateway over HTTPS.
 *
 * @example
 * ```ts
 * import { FetchHttpClient } from "@effect/platform"
 * import { GatewayLogs } from "effect-ai-gateway"
 * import { Layer, Redacted } from "effect"
 *
 * const Logs = GatewayLogs.layer({
 *   accountId: "0123456789abcdef",
 *   gatewayId: "my-gateway",
 *   token: Redacted.make("…")
 * }).pipe(Layer.provide(FetchHttpClient.layer))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  settings: Settings
): Layer.Layer<GatewayLogs | LogIndex, InvalidRequest, HttpClient.HttpClient> =>
  Layer.provideMerge(
    Layer.effectContext(
      Effect.map(make(settings), (logs) =>
        Context.add(Context.make(GatewayLogs, GatewayLogs.of(logs)), LogIndex, logs)
      )
    ),
    redactGatewayHeaders(settings.headers)
  )

/**
 * The log of a gateway over HTTPS, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { GatewayLogs } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Logs = GatewayLogs.layerConfig({
 *   accountId: Config.string("CLOUDFLARE_ACCOUNT_ID"),
 *   gatewayId: Config.string("CLOUDFLARE_GATEWAY_ID"),
 *   token: Config.redacted("CLOUDFLARE_API_TOKEN")
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = ({
  headers,
  ...configs
}: {
  readonly accountId: Config.Config<string>
  readonly token: Config.Config<Redacted.Redacted>
  readonly gatewayId?: Config.Config<string | undefined> | undefined
  readonly baseUrl?: Config.Config<string | undefined> | undefined
  readonly headers?: Settings["headers"]
}): Layer.Layer<GatewayLogs | LogIndex, ConfigError | InvalidRequest, HttpClient.HttpClient> =>
  Module.layerConfig(configs, (settings) => layer({ ...settings, headers }))

/**
 * Makes the service of single entries of a Worker's binding. Fails with `InvalidRequest` that says what is wrong with it.
 *
 * @example
 * ```ts
 * import { GatewayLogs } from "effect-ai-gateway"
 * import { Effect } from "effect"
 * import { env } from "cloudflare:workers"
 *
 * const entry = GatewayLogs.makeBinding(env.AI.gateway("my-gateway")).pipe(
 *   Effect.flatMap((logs) => logs.get("01JADMCQQQBWH3NXZ5GCRN98DP"))
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeBinding = (binding: LogBinding): Effect.Effect<Service, InvalidRequest> =>
  Either.map(
    WorkersBinding.checkLogs(binding),
    (): Service => ({ [TypeId]: TypeId, transport: "binding", ...BindingLogs.make(binding) })
  )

/**
 * The log of a gateway through a Worker's binding. It needs no token, and cannot list or remove: what needs `LogIndex` does
 * not compile with it.
 *
 * The binding takes no signal. An interrupted call is not waited for any longer, but what it does may still be done.
 *
 * Source: `protocol/gateway.md` §1.8, §1.9.
 *
 * @example
 * ```ts
 * import { GatewayLogs } from "effect-ai-gateway"
 * import { env } from "cloudflare:workers"
 *
 * const Logs = GatewayLogs.layerBinding(env.AI.gateway("my-gateway"))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerBinding = (binding: LogBinding): Layer.Layer<GatewayLogs, InvalidRequest> =>
  Layer.effect(GatewayLogs, makeBinding(binding))

/**
 * One entry, with the beginnings of its request and its answer.
 *
 * @example
 * ```ts
 * import { GatewayLogs } from "effect-ai-gateway"
 * import { Effect } from "effect"
 *
 * const cost = GatewayLogs.get("01JADMCQQQBWH3NXZ5GCRN98DP").pipe(
 *   Effect.map((entry) => entry.cost),
 *   Effect.catchTag("LogNotFound", () => Effect.succeed(undefined))
 * )
 * ```
 *
 * @since 0.1.0
 * @category entries
 */
export const get = (logId: string): Effect.Effect<LogEntry, LogError, GatewayLogs> =>
  Effect.flatMap(GatewayLogs, (logs) => logs.get(logId))

/**
 * Gives an entry feedback, a score or metadata. Of an answer that is at hand, `feedback` does it.
 *
 * @example
 * ```ts
 * import { GatewayLogs } from "effect-ai-gateway"
 *
 * const good = GatewayLogs.patch("01JADMCQQQBWH3NXZ5GCRN98DP", { feedback: 1, score: 90 })
 * ```
 *
 * @since 0.1.0
 * @category entries
 */
export const patch = (logId: string, patch: Patch): Effect.Effect<void, LogError, GatewayLogs> =>
  Effect.flatMap(GatewayLogs, (logs) => logs.patch(logId, patch))

/**
 * What feedback can be given to: a `ChatResponse`, the `Start` event of a stream, an embedding, a response of
 * `AiGateway.send`, an error's `gateway` in an object.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answer {
  readonly gateway: GatewayMetadata
}

/**
 * Gives an answer feedback, a score or metadata. An answer without a log id is `LogNotFound`, which says why that can be.
 *
 * @example
 * ```ts
 * import { ChatModel, GatewayLogs } from "effect-ai-gateway"
 * import { Effect } from "effect"
 *
 * const liked = ChatModel.chat("Name three cheeses.").pipe(
 *   Effect.tap(GatewayLogs.feedback({ feedback: 1, score: 90, metadata: { reviewer: "ann" } }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category entries
 */
export const feedback: {
  (patch: Patch): (answer: Answer) => Effect.Effect<void, LogError, GatewayLogs>
  (answer: Answer, patch: Patch): Effect.Effect<void, LogError, GatewayLogs>
} = dual(
  2,
  ({ gateway }: Answer, given: Patch): Effect.Effect<void, LogError, GatewayLogs> =>
    gateway.logId === undefined
      ? Effect.suspend(() => Effect.fail(LogRefusal.notLogged()))
      : patch(gateway.logId, given)
)

/**
 * The entries that fit, or all of them. A page is one request, made when its first entry is asked for: `Stream.take(10)`
 * makes one.
 *
 * While the gateway goes on to write its log, pages shift. An entry that comes twice is given once; for a list that does
 * not change, filter by `createdAt`.
 *
 * @example
 * ```ts
 * import { GatewayLogs } from "effect-ai-gateway"
 * import { Stream } from "effect"
 *
 * const spent = GatewayLogs.list({
 *   filters: [
 *     { field: "provider", is: "eq", value: "openai" },
 *     { field: "createdAt", is: "gt", value: new Date("2026-11-01") }
 *   ]
 * }).pipe(Stream.runFold(0, (sum, entry) => sum + (entry.cost ?? 0)))
 * ```
 *
 * @since 0.1.0
 * @category index
 */
export const list = (query?: Query): Stream.Stream<LogEntry, LegError, LogIndex> =>
  Stream.unwrap(Effect.map(LogIndex, (index) => index.list(query)))

/**
 * Removes entries: one by its id, those that fit filters, or, said in so many words, all of them. An entry that is named by
 * its id is looked for first, because the API's answer to a removal does not tell: a missing one is `LogNotFound`.
 *
 * @example
 * ```ts
 * import { GatewayLogs } from "effect-ai-gateway"
 *
 * const one = GatewayLogs.remove({ id: "01JADMCQQQBWH3NXZ5GCRN98DP" })
 *
 * const old = GatewayLogs.remove({
 *   filters: [{ field: "createdAt", is: "lt", value: new Date("2026-01-01") }],
 *   limit: 1000
 * })
 *
 * const everything = GatewayLogs.remove({ all: true })
 * ```
 *
 * @since 0.1.0
 * @category index
 */
export const remove = (removal: Removal): Effect.Effect<void, LogError, LogIndex> =>
  Effect.flatMap(LogIndex, (index) => index.remove(removal))
