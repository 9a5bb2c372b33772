/**
 * The paths of each provider, as types. Those that Cloudflare's documentation names are from `protocol/gateway.md` §6; beside
 * them stand the commonest of each vendor's own API, which the gateway passes through.
 */
import type { Slug } from "./directory.js"

/** Clients keep `v1` in the path, the documentation leaves it out; both are in use. */
type Version1<Path extends string> = Path | `v1/${Path}`

type Stored<Name extends string> = Name | `${Name}/${string}`

type GoogleVersion = "v1" | "v1beta"

interface Paths {
  readonly "adobe-firefly": never
  readonly anthropic:
    | "v1/messages"
    | "v1/messages/count_tokens"
    | Stored<"v1/messages/batches">
    | Stored<"v1/models">
  readonly "aws-bedrock":
    | `bedrock-runtime/${string}/model/${string}/${"invoke" | "invoke-with-response-stream" | "converse" | "converse-stream"}`
    | `bedrock-mantle/${string}/anthropic/v1/messages`
  readonly "azure-openai":
    | `${string}/${string}/${AzureOperation}?api-version=${string}`
    | `${string}/openai/v1/${AzureOperation | "responses"}`
    | `${string}/openai/responses?api-version=${string}`
  readonly baseten: "v1/chat/completions" | `model/${string}`
  readonly cartesia: "tts/bytes" | "tts/sse" | "stt" | "voice-changer/bytes" | Stored<"voices">
  readonly cerebras: Version1<"chat/completions" | "completions" | Stored<"models">>
  readonly cohere:
    | `${"v1" | "v2"}/${"chat" | "embed" | "rerank"}`
    | `v1/${"classify" | "tokenize" | "detokenize" | Stored<"models">}`
    | `compatibility/v1/${"chat/completions" | "embeddings"}`
  readonly compat: "chat/completions"
  readonly deepgram: "v1/listen" | "v1/speak" | "v1/read" | Stored<"v1/projects"> | Stored<"v1/models">
  readonly deepseek: "chat/completions" | "beta/completions" | "models" | "user/balance"
  readonly elevenlabs:
    | `v1/text-to-speech/${string}`
    | "v1/speech-to-text"
    | `v1/speech-to-speech/${string}`
    | "v1/sound-generation"
    | "v1/models"
    | Stored<"v1/voices">
  readonly fal: `${string}/${string}`
  readonly fireworks: "chat/completions" | "completions" | "embeddings" | "rerank" | Stored<"models">
  readonly "google-ai-studio":
    | `${GoogleVersion}/models/${string}:${GoogleMethod}`
    | `${GoogleVersion}/${Stored<"models">}`
  readonly "google-vertex-ai": `${GoogleVersion | "v1beta1"}/projects/${string}/locations/${string}/publishers/${string}/models/${string}:${GoogleMethod | "predict" | "rawPredict" | "streamRawPredict"}`
  readonly grok: `v1/${"chat/completions" | "responses" | "messages" | "images/generations" | "embeddings" | Stored<"models"> | Stored<"language-models">}`
  readonly groq:
    | "chat/completions"
    | "responses"
    | "audio/transcriptions"
    | "audio/translations"
    | "audio/speech"
    | Stored<"models">
  readonly huggingface: `${string}/${string}`
  readonly ideogram:
    | `v1/ideogram-v3/${"generate" | "edit" | "remix" | "reframe" | "replace-background"}`
    | "generate"
    | "edit"
    | "remix"
    | "upscale"
    | "describe"
  readonly mistral: `v1/${"chat/completions" | "fim/completions" | "embeddings" | "moderations" | "ocr" | "audio/transcriptions" | Stored<"models"> | Stored<"files">}`
  readonly openai: Version1<
    | "chat/completions"
    | "completions"
    | Stored<"responses">
    | "embeddings"
    | "moderations"
    | `images/${"generations" | "edits" | "variations"}`
    | `audio/${"speech" | "transcriptions" | "translations"}`
    | Stored<"models">
    | Stored<"files">
    | Stored<"batches">
  >
  readonly openrouter: Version1<"chat/completions" | "completions" | "responses" | "embeddings" | "models">
  readonly parallel:
    | "v1beta/search"
    | "v1beta/extract"
    | "v1beta/chat/completions"
    | "v1beta/findall/ingest"
    | Stored<"v1beta/findall/runs">
    | Stored<"v1/tasks/runs">
  readonly "perplexity-ai": "chat/completions" | Stored<"async/chat/completions">
  readonly replicate: Version1<
    | Stored<"predictions">
    | `models/${string}/predictions`
    | `deployments/${string}/predictions`
    | Stored<"models">
    | Stored<"trainings">
    | Stored<"files">
  >
  readonly "workers-ai":
    | `${"" | "run/"}@${"cf" | "hf"}/${string}`
    | `v1/${"chat/completions" | "embeddings" | "responses"}`
}

type AzureOperation =
  | "chat/completions"
  | "completions"
  | "embeddings"
  | `images/${"generations" | "edits"}`
  | `audio/${"speech" | "transcriptions" | "translations"}`

type GoogleMethod =
  | "generateContent"
  | "streamGenerateContent"
  | "countTokens"
  | "embedContent"
  | "batchEmbedContents"
  | "predict"
  | "predictLongRunning"

/**
 * A provider that a request can name: one that the gateway knows, or one's own.
 *
 * @since 0.1.0
 * @category endpoints
 */
export type Recipient = Slug | `custom-${string}`

/**
 * The known paths of a provider, each with or without a query; any path of a custom one.
 *
 * @since 0.1.0
 * @category endpoints
 */
export type EndpointOf<Provider extends Recipient> = Provider extends Slug
  ? Paths[Provider] | `${Paths[Provider]}?${string}`
  : string

/** Not of this type: a path that begins with a slash, or has an empty segment. */
export type CleanPath<Path extends string> = Path extends `${infer Before}?${string}`
  ? Path extends `${CleanPath<Before>}?${string}`
    ? Path
    : never
  : Path extends "" | `/${string}` | `${string}/` | `${string}//${string}`
    ? never
    : Path

/**
 * A path of a provider, for `AiGateway.send`.
 *
 * @since 0.1.0
 * @category endpoints
 */
export interface Endpoint<Provider extends Recipient = Recipient, Path extends string = string> {
  readonly provider: Provider
  readonly endpoint: Path
}
