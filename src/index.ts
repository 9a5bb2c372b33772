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
export * as AzureOpenAi from "./AzureOpenAi.js"

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
export * as DeepSeek from "./DeepSeek.js"

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
export * as Grok from "./Grok.js"

/**
 * @since 0.1.0
 */
export * as Groq from "./Groq.js"

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
export * as WorkersAi from "./WorkersAi.js"
