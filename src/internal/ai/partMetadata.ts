/**
 * What parts of `@effect/ai` carry of ours, under the key `aiGateway`: in `metadata` of what a model answered, and in `options`
 * of what goes back to one.
 */

import type { Citation } from "../../ChatResponse.js"
import type { GatewayMetadata } from "../../GatewayMetadata.js"
import type { ImagePart, ReasoningPart } from "../../Message.js"
import type { Attempt } from "../errors.js"

/**
 * Who answered: in the `metadata.aiGateway` of the `response-metadata` part, which comes first.
 *
 * @since 0.1.0
 * @category metadata
 */
export type AnsweredBy = {
  /** The gateway slug of the provider that answered. */
  readonly provider: string
  /** The model: of a whole answer as the provider names it, of a stream as it was asked for. */
  readonly model: string
  /** The legs that were tried before, each with its error. */
  readonly attempts: ReadonlyArray<Attempt>
  /** What the gateway said in its headers: the log id, the cache's status, … */
  readonly gateway: GatewayMetadata
}

/**
 * What the `finish` part has no field of its own for, and again who answered, for those who keep only the last part.
 *
 * @since 0.1.0
 * @category metadata
 */
export type Finished = AnsweredBy & {
  /** The provider's own word for why it stopped. */
  readonly rawFinishReason?: string | undefined
  /** Tokens of the prompt that were written to the provider's cache; a part of `inputTokens`. */
  readonly cacheWriteTokens?: number | undefined
}

/**
 * The provider's own signed or encrypted form of reasoning: on `reasoning` parts, in streams on `reasoning-end`. As an option of
 * a prompt's `reasoning` part it goes back to that provider, and to no other.
 *
 * @since 0.1.0
 * @category metadata
 */
export type Signed = { readonly opaque: NonNullable<ReasoningPart["opaque"]> }

/**
 * Marks text in which the model says why it refuses, where its provider tells that from an answer.
 *
 * @since 0.1.0
 * @category metadata
 */
export type Refused = { readonly refusal: true }

/**
 * The id that the provider gave a call of a tool, where the part has another. As an option of a prompt's `tool-call` part it is
 * what the provider gets to see again.
 *
 * @since 0.1.0
 * @category metadata
 */
export type Called = { readonly callId: string }

/**
 * A source as the provider told of it.
 *
 * @since 0.1.0
 * @category metadata
 */
export type Cited = Citation & Readonly<Record<string, unknown>>

/**
 * How closely a model looks at an image; a hint.
 *
 * @since 0.1.0
 * @category metadata
 */
export type Looked = { readonly detail?: ImagePart["detail"] }

declare module "@effect/ai/Response" {
  export interface ResponseMetadataPartMetadata extends ProviderMetadata {
    readonly aiGateway?: AnsweredBy | undefined
  }
  export interface FinishPartMetadata extends ProviderMetadata {
    readonly aiGateway?: Finished | undefined
  }
  export interface ReasoningPartMetadata extends ProviderMetadata {
    readonly aiGateway?: Signed | undefined
  }
  export interface ReasoningEndPartMetadata extends ProviderMetadata {
    readonly aiGateway?: Signed | undefined
  }
  export interface TextPartMetadata extends ProviderMetadata {
    readonly aiGateway?: Refused | undefined
  }
  export interface TextStartPartMetadata extends ProviderMetadata {
    readonly aiGateway?: Refused | undefined
  }
  export interface ToolCallPartMetadata extends ProviderMetadata {
    readonly aiGateway?: Called | undefined
  }
  export interface DocumentSourcePartMetadata extends ProviderMetadata {
    readonly aiGateway?: Cited | undefined
  }
  export interface UrlSourcePartMetadata extends ProviderMetadata {
    readonly aiGateway?: Cited | undefined
  }
}

declare module "@effect/ai/Prompt" {
  export interface ReasoningPartOptions extends ProviderOptions {
    readonly aiGateway?: Signed | undefined
  }
  export interface ToolCallPartOptions extends ProviderOptions {
    readonly aiGateway?: Called | undefined
  }
  export interface FilePartOptions extends ProviderOptions {
    readonly aiGateway?: Looked | undefined
  }
}
