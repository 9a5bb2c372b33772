/**
 * @since 0.1.0
 */
export * as AccountApi from "./AccountApi.js"

/**
 * @since 0.1.0
 */
export * as AiBinding from "./AiBinding.js"
/**
 * @since 0.1.0
 */
export * as AiGateway from "./AiGateway.js"

/**
 * @since 0.1.0
 */
export * as AiGatewayError from "./AiGatewayError.js"

/**
 * @since 0.1.0
 */
export * as Anthropic from "./Anthropic.js"

/**
 * @since 0.1.0
 */
export * as AwsBedrock from "./AwsBedrock.js"

/**
 * @since 0.1.0
 */
export * as AzureOpenAi from "./AzureOpenAi.js"

/**
 * @since 0.1.0
 */
export * as Baseten from "./Baseten.js"

/**
 * @since 0.1.0
 */
export * as Cerebras from "./Cerebras.js"

/**
 * @since 0.1.0
 */
export * as ChatEvent from "./ChatEvent.js"

/**
 * @since 0.1.0
 */
export * as ChatModel from "./ChatModel.js"

/**
 * @since 0.1.0
 */
export * as ChatRequest from "./ChatRequest.js"

/**
 * @since 0.1.0
 */
export * as ChatResponse from "./ChatResponse.js"

/**
 * @since 0.1.0
 */
export * as Cohere from "./Cohere.js"

/**
 * @since 0.1.0
 */
export * as Compat from "./Compat.js"

/**
 * @since 0.1.0
 */
export * as Custom from "./Custom.js"

/**
 * @since 0.1.0
 */
export * as DeepSeek from "./DeepSeek.js"

/**
 * @since 0.1.0
 */
export * as EmbeddingModel from "./EmbeddingModel.js"

/**
 * @since 0.1.0
 */
export * as Fireworks from "./Fireworks.js"

/**
 * @since 0.1.0
 */
export * as GatewayFetch from "./GatewayFetch.js"

/**
 * @since 0.1.0
 */
export * as GatewayHttpClient from "./GatewayHttpClient.js"

/**
 * @since 0.1.0
 */
export * as GatewayLogs from "./GatewayLogs.js"

/**
 * @since 0.1.0
 */
export * as GatewayMetadata from "./GatewayMetadata.js"

/**
 * @since 0.1.0
 */
export * as GoogleAiStudio from "./GoogleAiStudio.js"

/**
 * @since 0.1.0
 */
export * as GoogleVertexAi from "./GoogleVertexAi.js"

/**
 * @since 0.1.0
 */
export * as Grok from "./Grok.js"

/**
 * @since 0.1.0
 */
export * as Groq from "./Groq.js"

/**
 * @since 0.1.0
 */
export * as HuggingFace from "./HuggingFace.js"

/**
 * @since 0.1.0
 */
export * as LocalGateway from "./LocalGateway.js"

/**
 * @since 0.1.0
 */
export * as Message from "./Message.js"

/**
 * @since 0.1.0
 */
export * as Mistral from "./Mistral.js"

/**
 * @since 0.1.0
 */
export * as OpenAi from "./OpenAi.js"

/**
 * @since 0.1.0
 */
export * as OpenRouter from "./OpenRouter.js"

/**
 * @since 0.1.0
 */
export * as Parallel from "./Parallel.js"

/**
 * @since 0.1.0
 */
export * as Perplexity from "./Perplexity.js"

/**
 * @since 0.1.0
 */
export * as Provider from "./Provider.js"

/**
 * @since 0.1.0
 */
export * as Replicate from "./Replicate.js"

/**
 * @since 0.1.0
 */
export * as RequestOptions from "./RequestOptions.js"

/**
 * @since 0.1.0
 */
export * as TestModel from "./TestModel.js"

/**
 * @since 0.1.0
 */
export * as Tool from "./Tool.js"

/**
 * @since 0.1.0
 */
export * as WorkersAi from "./WorkersAi.js"
