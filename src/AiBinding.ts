/**
 * The run path of a Worker's binding, `env.AI.run`: every model of the account's catalogue (`anthropic/claude-haiku-4.5`)
 * and of Workers AI (`@cf/meta/…`), with no key and no token, and with streams that survive a broken connection. Its models
 * are like all others: alone, in a list, and mixed with those behind `AiGateway`.
 *
 * Calls go through the gateway `gatewayId`. The provider's key is the one stored there under the alias `default`; without
 * one, Cloudflare credits are used.
 *
 * Source: `protocol/gateway.md` §0.2, §1.8, §5.10, §5.11.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type * as ChatEvent from "./ChatEvent.js"
import * as AccountModel from "./internal/accountModel.js"
import * as AccountOptions from "./internal/accountOptions.js"
import { type AiGatewayError, InvalidRequest, type LegError } from "./internal/errors.js"
import type { GatewayResponse, ProviderRequest } from "./internal/exchange.js"
import { checkGatewayId } from "./internal/gatewayUrl.js"
import * as Leg from "./internal/leg.js"
import type { Resuming } from "./internal/legGateway.js"
import type { Leg as ModelLeg } from "./internal/model.js"
import type { WellFormed } from "./internal/modelSlug.js"
import * as Module from "./internal/providerModule.js"
import type { ResumeOptions } from "./internal/resume/policy.js"
import type { GatewayOptions } from "./internal/runOptions.js"
import type { RunRequest } from "./internal/runRequest.js"
import * as RunSender from "./internal/runSender.js"
import type { BindingSignal } from "./internal/transport/binding.js"
import * as BindingTransport from "./internal/transport/binding.js"
import { checkAi } from "./internal/workersBinding.js"
import * as Provider from "./Provider.js"
import * as Options from "./RequestOptions.js"

/**
 * @since 0.1.0
 * @category symbols
 */
export const TypeId = "~effect-ai-gateway/AiBinding"

/**
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

export type { ResumeOptions } from "./internal/resume/policy.js"
export type { GatewayOptions } from "./internal/runOptions.js"
export type { BindingSignal } from "./internal/transport/binding.js"

/**
 * A Worker's AI binding: what `env.AI` is. The types of `@cloudflare/workers-types` fit, and none of them is needed. `fetch`
 * is there at run time, though those types do not have it; without it no stream can be resumed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Binding {
  run(
    model: string,
    inputs: Record<string, unknown>,
    options?: {
      /** Always true. */
      readonly returnRawResponse?: boolean
      readonly gateway?: GatewayOptions
      readonly extraHeaders?: object
      readonly signal?: BindingSignal
    }
  ): PromiseLike<unknown>
  /** Not called: it tells `env.AI` from one of its gateways. */
  gateway(id: string): unknown
  fetch?(url: string, init?: { readonly signal?: BindingSignal }): PromiseLike<unknown>
}

/**
 * The gateway options that exist here. `cacheKey`, `cacheTtl`, `byokAlias`, `otelTraceId` and `otelParentSpanId` do not,
 * and are no part of the type: nothing is cached on the run path, its key is the one under the alias `default`, and trace
 * ids are for the gateway's own host. Where they come from elsewhere (`AiGateway.withOptions`, the options of a call), a
 * model is `Unsupported` before anything is sent, and a list moves on; `unsupported: "drop"` does not change that.
 *
 * `collectLogPayload`, `customCost`, `noWholesale` and `zdr` have no place among the binding's own options, and go out as
 * headers; that the run path reads them there is not confirmed.
 *
 * Source: `protocol/gateway.md` §1.8, §2.1.
 *
 * @since 0.1.0
 * @category models
 */
export type RequestOptions = Omit<Options.RequestOptions, AccountOptions.Absent> & {
  readonly [Name in AccountOptions.Absent]?: undefined
}

/**
 * The service of a binding.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly [TypeId]: TypeId
  readonly transport: "run"
  /** Options of every request, over which `AiGateway.withOptions` and a call win. */
  readonly defaults: RequestOptions
  /**
   * Runs one model: `endpoint` is its name, `body` its inputs, `provider` says whose it is, for errors and spans. Never
   * retries. Fails with the classified error for every status but a success; the request is checked before it is sent
   * (`InvalidRequest`, `Unsupported`). With `resume` the bytes of a stream survive its connection, where the response has a
   * run id; with `run` nothing is sent, and the run that was begun elsewhere is read.
   */
  readonly send: (
    request: ProviderRequest,
    how?: {
      readonly resume?: ResumeOptions | false | undefined
      readonly run?: { readonly runId: string; readonly from: number } | undefined
    }
  ) => Effect.Effect<GatewayResponse, LegError>
}

/**
 * The AI binding of a Worker.
 *
 * @since 0.1.0
 * @category tags
 */
export class AiBinding extends Context.Tag("effect-ai-gateway/AiBinding")<AiBinding, Service>() {}

/**
 * What a binding can be told.
 *
 * @since 0.1.0
 * @category models
 */
export interface Settings {
  /**
   * The gateway that the calls go through. Default `default`, which exists in every account; it is always named, because
   * without a name a call passes no gateway at all.
   */
  readonly gatewayId?: string | undefined
  /** Options of every request. */
  readonly defaults?: RequestOptions | undefined
  /**
   * Takes every stream up again that breaks, where its model says nothing of that. Absent: none. A binding that cannot resume
   * (it has no `fetch`) is told in a warning, once, and its streams are not resumed.
   */
  readonly resume?: ResumeOptions | undefined
}

/**
 * Makes the service of a binding. Fails with `InvalidRequest` that says what is wrong with the binding, or names the
 * setting that is.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  binding: Binding,
  { gatewayId = "default", defaults = {}, resume }: Settings = {}
): Effect.Effect<Service, InvalidRequest> =>
  Effect.flatMap(
    Either.all({
      binding: checkAi(binding),
      gatewayId: checkGatewayId(gatewayId),
      checked: Options.toHeaders(defaults),
      allExist: AccountOptions.allExist(defaults, "The run path of a binding")
    }),
    () => {
      const over = resumes(binding)
      const cannot = resume !== undefined && over === undefined
      const service: Service = {
        [TypeId]: TypeId,
        transport: "run",
        defaults,
        send: RunSender.make({
          transport: BindingTransport.make({ kind: "run", name: "env.AI.run", call: run(binding) }),
          resumes: over,
          gatewayId,
          defaults,
          resume: cannot ? undefined : resume
        })
      }
      return cannot
        ? Effect.as(Effect.logWarning("This binding has no fetch: its streams are not resumed."), service)
        : Effect.succeed(service)
    }
  )

// The methods are called on the binding itself: detached, they lose what they hold.
const run =
  (binding: Binding) =>
  ({ model, inputs, gateway, extraHeaders }: RunRequest, signal: AbortSignal): PromiseLike<unknown> =>
    binding.run(model, inputs, { returnRawResponse: true, gateway, extraHeaders, signal })

const resumes = (binding: Binding) =>
  typeof binding.fetch === "function"
    ? BindingTransport.make({
        kind: "run",
        name: "env.AI.fetch",
        call: ({ url }: RunSender.ResumeRequest, signal) =>
          binding.fetch === undefined ? Promise.reject("fetch is gone") : binding.fetch(url, { signal })
      })
    : undefined

/**
 * The AI binding of a Worker. Build it once per isolate, not once per request.
 *
 * @example
 * ```ts
 * import { AiBinding, ChatModel } from "effect-ai-gateway"
 * import { Layer } from "effect"
 * import { env } from "cloudflare:workers"
 *
 * const Model = ChatModel.layer(
 *   ChatModel.firstSuccessOf([
 *     AiBinding.model("anthropic/claude-haiku-4.5", { maxTokens: 1024, resume: {} }),
 *     AiBinding.model("@cf/meta/llama-3.1-8b-instruct")
 *   ])
 * ).pipe(Layer.provide(AiBinding.layer(env.AI, { gatewayId: "my-gateway" })))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (binding: Binding, settings?: Settings): Layer.Layer<AiBinding, InvalidRequest> =>
  Layer.effect(AiBinding, make(binding, settings))

/**
 * Runs one model: the way to models that are no chat models (images, audio, …). `endpoint` is the model's name, `body` its
 * inputs.
 *
 * @example
 * ```ts
 * import { AiBinding } from "effect-ai-gateway"
 *
 * const picture = AiBinding.send({
 *   provider: "workers-ai",
 *   endpoint: "@cf/black-forest-labs/flux-1-schnell",
 *   body: { prompt: "A cheese." }
 * })
 * ```
 *
 * @since 0.1.0
 * @category sending
 */
export const send = (request: ProviderRequest): Effect.Effect<GatewayResponse, LegError, AiBinding> =>
  Effect.flatMap(AiBinding, (binding) => binding.send(request))

// --- models -----------------------------------------------------------------------------------------------------------

export type {
  /**
   * A model with its author. A literal text that has no author, or an empty part, is not of this type.
   *
   * @since 0.1.0
   * @category models
   */
  WellFormed
} from "./internal/modelSlug.js"

/**
 * A model that the run path may have: a literal name of a vendor that is known to be missing there is not of this type.
 *
 * @since 0.1.0
 * @category models
 */
export type InCatalogue<Name extends string> = Name extends `${AccountModel.NotInCatalogue}/${string}`
  ? "The run path has no models of this vendor: ask them through AiGateway."
  : Name extends `dynamic/${string}` | "cloudflare/auto"
    ? "Dynamic routes and the automatic router are on the gateway's own host: use Compat."
    : Name

/**
 * What a model can be told.
 *
 * @since 0.1.0
 * @category models
 */
export interface ModelOptions<Name extends string = string> extends Omit<Leg.ModelOptions, "options"> {
  /** Gateway options. */
  readonly options?: RequestOptions | undefined
  /**
   * Takes a stream up again where its connection breaks: `{}` for the defaults, `false` for not even where the binding's
   * own `resume` says so. Absent: as the binding says. Models of Workers AI have no runs that could be resumed.
   */
  readonly resume?: (Name extends `@${string}` ? false : ResumeOptions | false) | undefined
}

/**
 * A model of the catalogue, `author/model`, or of Workers AI, `@cf/…`: a plain value, for use by itself or in a list. Its
 * provider, in answers, errors and `providerOptions`, is the gateway slug of who answers: `grok` for `xai/…`,
 * `google-ai-studio` for `google/…`, `workers-ai` for `@cf/…`.
 *
 * A literal without an author, with an empty part, or of a vendor that the catalogue does not have, does not compile; of a
 * name that is only known at run time, such a mistake is `InvalidRequest` when the model is asked. `modelFrom` tells it
 * before.
 *
 * Anthropic's models speak their native format, all others OpenAI's `chat/completions`, those of Workers AI their own. The
 * catalogue writes versions with dots.
 *
 * @example
 * ```ts
 * import { AiBinding } from "effect-ai-gateway"
 * import { Effect, Schedule } from "effect"
 *
 * const model = AiBinding.model("anthropic/claude-haiku-4.5", {
 *   maxTokens: 1024,
 *   resume: {
 *     schedule: Schedule.spaced("1 second").pipe(Schedule.intersect(Schedule.recurs(3))),
 *     whenExpired: "accept",
 *     onProgress: ({ runId, from }) => Effect.logDebug("so far", { runId, from })
 *   }
 * })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const model = <const Name extends string>(
  name: Name & WellFormed<Name> & InCatalogue<Name>,
  { resume, ...options }: ModelOptions<Name> = {}
): ModelLeg<AiBinding> => named(name, { resume, ...options })

/**
 * The same for a name that is only known at run time, as one of a configuration: what is wrong with it fails here, so that
 * a layer of it fails when it is built.
 *
 * @example
 * ```ts
 * import { AiBinding, ChatModel } from "effect-ai-gateway"
 * import { Config, Effect, Layer } from "effect"
 *
 * const Model = Layer.unwrapEffect(
 *   Config.string("MODEL").pipe(
 *     Effect.flatMap((name) => AiBinding.modelFrom(name)),
 *     Effect.map(ChatModel.layer)
 *   )
 * )
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const modelFrom = (
  name: string,
  options: ModelOptions<"author/model"> = {}
): Effect.Effect<ModelLeg<AiBinding>, InvalidRequest> =>
  Either.flatMap(AccountModel.makeBound(name), () =>
    isAsked(options.resume) && name.startsWith("@")
      ? Either.left(noRuns("resume"))
      : Either.right(named(name, options))
  )

const noRuns = (field: "resume" | "name") =>
  new InvalidRequest({ field, message: "A model of Workers AI has no runs that could be taken up again." })

const isAsked = (resume: ResumeOptions | false | undefined): boolean =>
  resume !== undefined && resume !== false

const named = (name: string, { resume, ...options }: ModelOptions<"author/model">): ModelLeg<AiBinding> => {
  const known = AccountModel.makeBound(name)
  // A model is a value: what is wrong with it is told when it is asked.
  const { slug, wire, limits } = Either.getOrElse(known, () => AccountModel.unknown(name))
  const leg = Leg.make({
    provider: Effect.succeed(provider(slug)),
    gateway: AiBinding,
    slug,
    model: name,
    wire,
    options,
    limits,
    start:
      resume === undefined
        ? undefined
        : (gateway, request, _, { stream }) => gateway.send(request, stream ? { resume } : undefined)
  })
  if (Either.isLeft(known)) return Module.invalidModel(leg, known.left)
  return isAsked(resume) && name.startsWith("@") ? Module.invalidModel(leg, noRuns("resume")) : leg
}

const provider = (slug: string): Provider.Provider =>
  Provider.make({ slug, authHeader: "authorization", authPrefix: "Bearer " })

// --- re-attaching -----------------------------------------------------------------------------------------------------

/**
 * Which run, and how much of it is known already.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reattach extends Pick<Leg.ModelOptions, "timeouts"> {
  /** The run's id: `gateway.runId` of the stream's `Start`, or of `onProgress`. */
  readonly runId: string
  /**
   * How many server-sent events need not be told again, as `onProgress` counted them. They are still read, for what they
   * say of the rest. Default 0: the whole answer.
   */
  readonly from?: number | undefined
  /** How drops of the new connection are met. */
  readonly resume?: ResumeOptions | undefined
}

/**
 * A model that may have runs: a literal of Workers AI is not of this type.
 *
 * @since 0.1.0
 * @category models
 */
export type HasRuns<Name extends string> = Name extends `@${string}`
  ? "Models of Workers AI have no runs that could be taken up again."
  : Name

/**
 * Takes up the stream of another invocation, of this Worker or another, by its run's id: what was produced meanwhile comes
 * at once, and the rest as it is produced. `name` is the model that was asked. Nothing is asked again, and nothing is
 * billed.
 *
 * Fails with `ResumeFailed` if the run is gone (`expired`, Cloudflare keeps it for some minutes) or its id is none
 * (`refused`), with `InvalidRequest` if the id cannot be one, and else as a stream does. An answer that was forced into a
 * tool (`chatObject` of a model without a schema mode) comes as the call of that tool.
 *
 * Source: `protocol/gateway.md` §5.10; undocumented by Cloudflare, measured.
 *
 * @example
 * ```ts
 * import { AiBinding, ChatEvent } from "effect-ai-gateway"
 * import { Stream } from "effect"
 *
 * const rest = AiBinding.reattach("anthropic/claude-haiku-4.5", { runId: "…", from: 12 }).pipe(
 *   Stream.filter((event) => event._tag === "TextDelta")
 * )
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const reattach = <const Name extends string>(
  name: Name & WellFormed<Name> & InCatalogue<Name> & HasRuns<Name>,
  { runId, from = 0, resume, timeouts }: Reattach
): Stream.Stream<ChatEvent.ChatEvent, AiGatewayError, AiBinding> => {
  const known = AccountModel.makeBound(name)
  if (Either.isLeft(known)) return Stream.fail(known.left)
  if (name.startsWith("@")) return Stream.fail(noRuns("name"))
  const { slug, wire, limits } = known.right
  const how: Resuming = { resume, run: { runId, from } }
  return Leg.make({
    provider: Effect.succeed(provider(slug)),
    gateway: AiBinding,
    slug,
    model: name,
    // Nothing is sent, so there is nothing to encode.
    wire: { ...wire, encode: () => ({ endpoint: name, body: {}, unsupported: [] }) },
    options: { timeouts },
    limits,
    start: (gateway, request) => gateway.send(request, how)
  }).streamChat("What is there of this run?")
}
