/** The models of a fallback model, each built with an `HttpClient` of its own that sends nothing by itself. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { AiGateway, type Service as Gateway } from "../../AiGateway.js"
import { redactGatewayHeaders } from "../redactedHeaders.js"
import type { RerouteOptions } from "../reroute.js"
import { CurrentRun } from "./callMode.js"
import * as SwitchClient from "./switchClient.js"

/**
 * A model as a provider's package makes it, with that provider's client provided, and without the `HttpClient` which that
 * wants: the fallback gives it one.
 *
 * @since 0.1.0
 * @category models
 */
// `unknown` is any error and any requirement: both are only given out.
export type Entry<Model> = Layer.Layer<Model, unknown, unknown>

/**
 * At least one.
 *
 * @since 0.1.0
 * @category models
 */
export type Entries<Model> = readonly [Entry<Model>, ...ReadonlyArray<Entry<Model>>]

/**
 * The models, or what is wrong with them: one that has an `HttpClient` already would go past the gateway.
 *
 * @since 0.1.0
 * @category models
 */
export type Open<All extends ReadonlyArray<unknown>> = {
  readonly [K in keyof All]: HttpClient.HttpClient extends RequirementsOf<All[K]>
    ? All[K]
    : "This model has an HttpClient already, so it would go past the gateway: provide its client, and leave HttpClient to the fallback."
}

/**
 * The models, or what is wrong with them: a `Model` cannot fail to be built.
 *
 * @since 0.1.0
 * @category models
 */
export type Infallible<All extends ReadonlyArray<unknown>> = {
  readonly [K in keyof All]: [ErrorOf<All[K]>] extends [never]
    ? All[K]
    : "This model can fail while it is built (layerConfig), which a Model cannot: use layerFallback."
}

/**
 * What may go wrong while the models are built.
 *
 * @since 0.1.0
 * @category models
 */
export type ErrorOf<L> = L extends Layer.Layer<infer _A, infer E, infer _R> ? E : never

type RequirementsOf<L> = L extends Layer.Layer<infer _A, infer _E, infer R> ? R : never

/**
 * What the models need beside their `HttpClient`.
 *
 * @since 0.1.0
 * @category models
 */
export type Needs<L> = Exclude<RequirementsOf<L>, HttpClient.HttpClient>

/** Builds them, each for itself: a client that two have in common must still know for which it sends. */
const build = <Id, Model, L extends Entry<Id>>(
  tag: Context.Tag<Id, Model>,
  models: ReadonlyArray<L>,
  owner: object,
  options: RerouteOptions
): Effect.Effect<ReadonlyArray<Model>, ErrorOf<L>, Scope.Scope | Needs<L>> =>
  Effect.forEach(models, (model, entry) => {
    // What `Entry` leaves open of a model, `ErrorOf` and `Needs` say of it.
    const layer = model as Layer.Layer<Id, ErrorOf<L>, Needs<L> | HttpClient.HttpClient>
    const { client, isUsed } = watched(SwitchClient.make(owner, entry, options))
    const built = Effect.map(
      Effect.mapInputContext(Layer.build(layer), (context: Context.Context<Needs<L> | Scope.Scope>) =>
        Context.add(withoutRun(context), HttpClient.HttpClient, client)
      ),
      Context.get(tag)
    )
    return Effect.tap(built, () => (isUsed() ? Effect.void : needsClient(layer, entry)))
  })

/**
 * A model of several, as a layer.
 *
 * `L` is the models' union, whose errors and needs the layer has.
 */
export const layer = <Id, Model, L extends Entry<Id>>(
  tag: Context.Tag<Id, Model>,
  models: ReadonlyArray<L>,
  options: RerouteOptions,
  make: (gateway: Gateway, owner: object, models: ReadonlyArray<Model>) => Effect.Effect<Model>
): Layer.Layer<Id, ErrorOf<L>, AiGateway | Needs<L>> =>
  Layer.provideMerge(
    Layer.scoped(
      tag,
      Effect.flatMap(AiGateway, (gateway) => {
        const owner = {}
        return Effect.flatMap(build(tag, models, owner, options), (models) => make(gateway, owner, models))
      })
    ),
    redactGatewayHeaders(undefined)
  )

/** Built within a call of another fallback model, it must not remember that one's run. */
const withoutRun = <R>(context: Context.Context<R>): Context.Context<R> =>
  // Nobody requires a reference.
  Context.omit(CurrentRun)(context) as Context.Context<R>

/** A model that looks at its client while it is built has one to look at, and that is ours. */
const watched = (client: HttpClient.HttpClient) => {
  let used = false
  return {
    isUsed: () => used,
    client: new Proxy(client, {
      get: (target, key) => {
        used = true
        return Reflect.get(target, key)
      }
    })
  }
}

/**
 * A model that does not look at its client then either takes it for later or has another. Another would send each call to its
 * provider, past the gateway and unnoticed: the type excludes it, and where that was got round, this finds it before
 * anything is sent. Such a model can be built without a client.
 */
const needsClient = <A, E, R>(
  layer: Layer.Layer<A, E, R | HttpClient.HttpClient>,
  entry: number
): Effect.Effect<void, never, R> => {
  const alone = Effect.scoped(Effect.asVoid(Layer.build(layer)))
  return Effect.flatMap(
    Effect.exit(
      Effect.mapInputContext(
        Effect.withTracerEnabled(alone, false),
        (context: Context.Context<R>) =>
          // It is to fail where it wants one.
          Context.omit(HttpClient.HttpClient)(withoutRun(context)) as Context.Context<
            R | HttpClient.HttpClient
          >
      )
    ),
    (exit) =>
      Exit.isSuccess(exit)
        ? Effect.dieMessage(
            `models[${entry}] of the fallback has an HttpClient already, so it would go past the gateway: provide its client, and leave HttpClient to the fallback.`
          )
        : Effect.void
  )
}
