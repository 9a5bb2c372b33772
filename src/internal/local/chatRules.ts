/**
 * What the OpenAI-shaped vendors take and refuse, where they differ. What is not in the protocol notes of this project
 * is general knowledge of the vendors: the sets of known fields above all.
 */

export interface ChatRules {
  /** Fields of a request; others are refused. `undefined`: others are ignored. */
  readonly fields: ReadonlySet<string> | undefined
  readonly tools: boolean
  /** Words of `tool_choice`. */
  readonly choices: ReadonlyArray<string>
  /** What `response_format` may be. */
  readonly formats: ReadonlyArray<string>
  /** Whether a JSON Schema has a name. */
  readonly namedSchema: boolean
  /** Whether `json_object` may carry a schema, as its `value`. */
  readonly schemaAsValue: boolean
  /** Whether `strict` schemas are held to OpenAI's rules. */
  readonly strict: boolean
  /** Whether `json_object` wants the word in the prompt. */
  readonly saysJson: boolean
  /** Whether any model reads images. */
  readonly images: boolean
  /** The types of parts that carry files. */
  readonly fileTypes: ReadonlyArray<string>
  /** Whether a file may be at a URL. */
  readonly fileUrls: boolean
  readonly bareImageUrl: boolean
  /** Whether user and assistant must take turns. */
  readonly alternates: boolean
  /** Whether `content` may be null beside calls. */
  readonly nullContent: boolean
  /** What an id of a call must look like. */
  readonly callId: RegExp | undefined
}

const openAiFields = [
  "model",
  "messages",
  "audio",
  "frequency_penalty",
  "function_call",
  "functions",
  "logit_bias",
  "logprobs",
  "max_completion_tokens",
  "max_tokens",
  "metadata",
  "modalities",
  "n",
  "parallel_tool_calls",
  "prediction",
  "presence_penalty",
  "prompt_cache_key",
  "prompt_cache_retention",
  "reasoning_effort",
  "response_format",
  "safety_identifier",
  "seed",
  "service_tier",
  "stop",
  "store",
  "stream",
  "stream_options",
  "temperature",
  "tool_choice",
  "tools",
  "top_logprobs",
  "top_p",
  "user",
  "verbosity",
  "web_search_options"
]

const base: ChatRules = {
  fields: undefined,
  tools: true,
  choices: ["auto", "none", "required"],
  formats: ["text", "json_object", "json_schema"],
  namedSchema: true,
  schemaAsValue: false,
  strict: true,
  saysJson: false,
  images: true,
  fileTypes: ["file"],
  fileUrls: false,
  bareImageUrl: false,
  alternates: false,
  nullContent: true,
  callId: undefined
}

const differences: Readonly<Record<string, Partial<ChatRules>>> = {
  openai: { fields: new Set(openAiFields), saysJson: true },
  "azure-openai": { fields: new Set([...openAiFields, "data_sources"]), saysJson: true },
  groq: {
    fields: new Set([
      ...openAiFields,
      "reasoning_format",
      "include_reasoning",
      "search_settings",
      "compound_custom",
      "disable_tool_validation",
      "documents",
      "citation_options"
    ]),
    fileTypes: []
  },
  mistral: {
    fields: new Set([
      "model",
      "messages",
      "temperature",
      "top_p",
      "max_tokens",
      "stream",
      "stop",
      "random_seed",
      "metadata",
      "response_format",
      "tools",
      "tool_choice",
      "presence_penalty",
      "frequency_penalty",
      "n",
      "prediction",
      "parallel_tool_calls",
      "prompt_mode",
      "reasoning_effort",
      "prompt_cache_key",
      "guardrails",
      "safe_prompt"
    ]),
    choices: ["auto", "none", "any", "required"],
    bareImageUrl: true,
    fileTypes: ["document_url"],
    strict: false,
    // Exactly nine letters and digits.
    callId: /^[a-zA-Z0-9]{9}$/
  },
  deepseek: { formats: ["text", "json_object"], saysJson: true, images: false, fileTypes: [], strict: false },
  "perplexity-ai": {
    tools: false,
    fileTypes: [],
    namedSchema: false,
    alternates: true,
    strict: false
  },
  huggingface: { schemaAsValue: true, strict: false },
  openrouter: { fileUrls: true },
  cerebras: { fileTypes: [] },
  "workers-ai": { nullContent: false, strict: false, fileTypes: [] }
}

export const rulesOf = (dialect: string): ChatRules => ({ ...base, ...differences[dialect] })
