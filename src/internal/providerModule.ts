/** What the modules of all providers have in common. */
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import { AiGateway } from "../AiGateway.js"
import * as Provider from "../Provider.js"
import type * as Embedding from "./embedding.js"
import * as EmbeddingLeg from "./embeddingLeg.js"
import type { InvalidRequest } from "./errors.js"
import * as Leg from "./leg.js"
import * as Model from "./model.js"
import { limitsOf } from "./modelTable.js"
import type { ProviderRow } from "./providerTable.js"
import type { EmbeddingWire } from "./wire/embeddings/embeddingWire.js"
import type { Wire } from "./wire/wire.js"

export const make = (row: ProviderRow, { apiKey, headers }: Provider.Options): Provider.Provider =>
  Provider.make({ ...row, apiKey, headers })

export const layer = <I>(
  tag: Context.Tag<I, Provider.Provider>,
  provider: Provider.Provider
): Layer.Layer<I, InvalidRequest> =>
  Layer.effect(
    tag,
    Effect.suspend(() => {
      const invalid = Provider.validate(provider)
      return invalid === undefined ? Effect.succeed(provider) : Effect.fail(invalid)
    })
  )

/** Reads the settings that are there, by their names, and makes a layer of them. */
export const layerConfig = <C extends object, I, R = never>(
  configs: C,
  build: (settings: Settings<C>) => Layer.Layer<I, InvalidRequest, R>
): Layer.Layer<I, ConfigError | InvalidRequest, R> => {
  const present: Record<string, Config.Config<unknown>> = {}
  // `Config.all` cannot read a key that holds `undefined`.
  for (const [name, config] of Object.entries(configs)) if (Config.isConfig(config)) present[name] = config
  // Nor can it read an empty record.
  const read = Object.keys(present).length === 0 ? Config.succeed({}) : Config.all(present)
  // `present` holds exactly the configs of `C`, and so what is read has exactly their types.
  return Layer.unwrapEffect(Effect.map(read, (settings) => build(settings as Settings<C>)))
}

/** What a record of configs reads. */
export type Settings<C> = {
  readonly [K in keyof C]: NonNullable<C[K]> extends Config.Config<infer A>
    ? A | Extract<C[K], undefined>
    : never
}

export const model = <I>(
  tag: Context.Tag<I, Provider.Provider>,
  row: ProviderRow,
  wire: Wire,
  name: string,
  options: Leg.ModelOptions = {}
): Model.Leg<I | AiGateway> =>
  Leg.make({
    provider: tag,
    gateway: AiGateway,
    slug: row.slug,
    model: name,
    wire,
    options,
    limits: limitsOf(row.slug, name)
  })

export const embeddingModel = <I>(
  tag: Context.Tag<I, Provider.Provider>,
  row: ProviderRow,
  wire: EmbeddingWire,
  name: string,
  options: EmbeddingLeg.ModelOptions = {}
): Embedding.With<I | AiGateway> =>
  EmbeddingLeg.make({ provider: tag, gateway: AiGateway, slug: row.slug, model: name, wire, options })

/** A model whose settings are wrong in a way that only a call can tell: a model is a value, and has no error channel. */
export const invalidModel = <R>(leg: Model.Leg<R>, invalid: InvalidRequest): Model.Leg<R> =>
  Model.leg(
    Model.make<R>({
      metadata: leg.metadata,
      chat: () => Effect.fail(invalid),
      open: () => Effect.fail(invalid)
    }),
    { wire: leg.wire, encode: () => Effect.fail(invalid) }
  )

/** What the module of a provider consists of that has no settings of its own. */
export interface ProviderModule<I> {
  readonly make: (options?: Provider.Options) => Provider.Provider
  readonly layer: (options?: Provider.Options) => Layer.Layer<I, InvalidRequest>
  readonly layerConfig: (configs: {
    readonly apiKey?: Config.Config<Redacted.Redacted | undefined> | undefined
  }) => Layer.Layer<I, ConfigError | InvalidRequest>
  /** Models in one wire format. */
  readonly models: (wire: Wire) => (name: string, options?: Leg.ModelOptions) => Model.Leg<I | AiGateway>
}

export const of = <I>(tag: Context.Tag<I, Provider.Provider>, row: ProviderRow): ProviderModule<I> => {
  const makeProvider = (options: Provider.Options = {}) => make(row, options)
  const makeLayer = (options: Provider.Options = {}) => layer(tag, makeProvider(options))
  return {
    make: makeProvider,
    layer: makeLayer,
    layerConfig: (configs) => layerConfig(configs, makeLayer),
    models: (wire) => (name, options) => model(tag, row, wire, name, options)
  }
}
