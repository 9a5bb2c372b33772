/**
 * Requests for embeddings, in each vendor's form. The protocol notes of this project do not cover them: forms, limits
 * and default dimensions are general knowledge of the vendors' APIs.
 */
import { vendorId } from "./ids.js"
import { asArray, asObject, isObject, type JsonObject, words } from "./json.js"
import type { UpstreamRequest } from "./records.js"
import { base64Floats } from "./vectors.js"
import { type Embed, invalid, type Problem } from "./wire.js"

export const embeddingModel = /\/(bge-|embeddinggemma|qwen3-embedding|plamo-embedding)/

type Vectors = ReadonlyArray<ReadonlyArray<number>>

const known: ReadonlyArray<readonly [RegExp, number]> = [
  [/text-embedding-3-large|gemini-embedding/, 3072],
  [/text-embedding|embed-v4|codestral-embed/, 1536],
  [/bge-small|embed-.*-light/, 384],
  [/bge-large|bge-m3|embed-|mistral-embed|qwen3-embedding/, 1024]
]

const dimensionsOf = (model: string): number => known.find(([name]) => name.test(model))?.[1] ?? 768

const embed = (
  model: string,
  inputs: ReadonlyArray<string>,
  dimensions: unknown,
  whole: (vectors: Vectors, inputWords: number) => unknown
): Embed => {
  const inputWords = inputs.reduce((sum, input) => sum + words(input), 0)
  return {
    _tag: "Embed",
    model,
    inputs,
    dimensions: typeof dimensions === "number" ? dimensions : dimensionsOf(model),
    inputWords,
    whole: (vectors) => whole(vectors, inputWords)
  }
}

const texts = (input: unknown): ReadonlyArray<string> | undefined => {
  if (typeof input === "string") return [input]
  return Array.isArray(input) && input.every((text) => typeof text === "string") ? input : undefined
}

const list = (model: string, base64: boolean) => (vectors: Vectors, inputWords: number) => ({
  object: "list",
  data: vectors.map((vector, index) => ({
    object: "embedding",
    index,
    embedding: base64 ? base64Floats(vector) : vector
  })),
  model,
  usage: { prompt_tokens: inputWords, total_tokens: inputWords }
})

const badDimensions = (dimensions: unknown, model: string): Problem | undefined => {
  if (dimensions === undefined) return undefined
  if (/ada-002/.test(model))
    return invalid("This model does not support specifying dimensions.", "dimensions")
  const most = dimensionsOf(model)
  return typeof dimensions === "number" &&
    Number.isInteger(dimensions) &&
    dimensions >= 1 &&
    dimensions <= most
    ? undefined
    : invalid(
        `Invalid value for 'dimensions' = ${String(dimensions)}. Must be less than or equal to ${most}.`,
        "dimensions"
      )
}

const openAiFields = ["model", "input", "encoding_format", "dimensions", "user"]

/** Inputs of one request. */
const mostOpenAi = 2048

/** OpenAI, Azure, and Workers AI's OpenAI surface. */
export const parseOpenAiEmbedding = (
  { body, endpoint }: UpstreamRequest,
  dialect: string
): Embed | Problem => {
  if (!isObject(body)) return invalid("We could not parse the JSON body of your request.")
  const azurePath = dialect === "azure-openai" && !/^[^/]+\/openai\//.test(endpoint)
  const model = azurePath ? endpoint.split("/")[1] : body.model
  if (typeof model !== "string" || model === "") return invalid("you must provide a model parameter", "model")
  if (dialect === "openai") {
    const unknown = Object.keys(body).find((name) => !openAiFields.includes(name))
    if (unknown !== undefined)
      return invalid(`Unknown parameter: '${unknown}'.`, unknown, "unknown_parameter")
  }
  const inputs = texts(body.input)
  if (inputs === undefined || inputs.length === 0 || inputs.includes(""))
    return invalid(
      "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference."
    )
  const most = dialect === "workers-ai" ? mostWorkersAi : mostOpenAi
  if (inputs.length > most)
    return invalid(
      `Invalid 'input': array too long. Expected an array with maximum length ${most}, but got an array with length ${inputs.length} instead.`,
      "input",
      "array_above_max_length"
    )
  const format = body.encoding_format ?? "float"
  if (format !== "float" && format !== "base64")
    return invalid(
      `Invalid value: '${String(format)}'. Supported values are: 'float' and 'base64'.`,
      "encoding_format",
      "invalid_value"
    )
  return (
    badDimensions(body.dimensions, model) ??
    embed(model, inputs, body.dimensions, list(model, format === "base64"))
  )
}

/** Mistral counts tokens, not inputs; so many inputs are this gateway's own limit. */
const mostMistral = 512

const mistralFields = ["model", "input", "output_dimension", "output_dtype", "encoding_format", "metadata"]

export const parseMistralEmbedding = ({ body }: UpstreamRequest): Embed | Problem => {
  if (!isObject(body)) return invalid("Input should be a valid dictionary")
  const { model, output_dimension: dimensions } = body
  if (typeof model !== "string") return invalid("Field required", "model")
  const unknown = Object.keys(body).find((name) => !mistralFields.includes(name))
  if (unknown !== undefined) return invalid("", unknown, "unknown_parameter")
  const inputs = texts(body.input)
  if (inputs === undefined || inputs.length === 0) return invalid("Field required", "input")
  if (inputs.length > mostMistral)
    return invalid("Too many inputs in request, split into more batches.", "input")
  return badDimensions(dimensions, model) ?? embed(model, inputs, dimensions, list(model, false))
}

/** Texts of one request to Cohere. */
const mostCohere = 96

const purposes = ["search_document", "search_query", "classification", "clustering", "image"]

export const parseCohereEmbedding = ({ body }: UpstreamRequest): Embed | Problem => {
  if (!isObject(body)) return invalid("invalid json syntax")
  const { model, input_type: purpose, output_dimension: dimensions } = body
  if (typeof model !== "string") return invalid("invalid request: model must be provided")
  if (typeof purpose !== "string" || !purposes.includes(purpose))
    return invalid("invalid request: valid input_type must be provided with the provided model")
  const types = asArray(body.embedding_types ?? ["float"])
  if (types.some((type) => type !== "float" && type !== "base64"))
    return invalid(`invalid request: unsupported embedding_types ${JSON.stringify(types)}`)
  const inputs = texts(body.texts)
  if (inputs === undefined || inputs.length === 0)
    return invalid("invalid request: one of texts, images or inputs must be provided")
  if (inputs.length > mostCohere)
    return invalid(
      `invalid request: total number of texts must be at most ${mostCohere} - received ${inputs.length}`
    )
  if (dimensions !== undefined && ![256, 512, 1024, 1536].includes(Number(dimensions)))
    return invalid("invalid request: output_dimension must be one of 256, 512, 1024, 1536")
  return embed(model, inputs, dimensions, (vectors, input_tokens) => ({
    id: vendorId(""),
    embeddings: {
      ...(types.includes("float") ? { float: vectors } : {}),
      ...(types.includes("base64") ? { base64: vectors.map(base64Floats) } : {})
    },
    texts: inputs,
    meta: { api_version: { version: "2" }, billed_units: { input_tokens } },
    response_type: "embeddings_by_type"
  }))
}

const contentText = (content: unknown): string | undefined => {
  const parts = asArray(asObject(content).parts).map((part) => asObject(part).text)
  return parts.length > 0 && parts.every((text) => typeof text === "string") ? parts.join(" ") : undefined
}

/** Requests of one batch at Google. */
const mostGoogle = 100

const single = ["model", "content", "taskType", "title", "outputDimensionality", "embedContentConfig"]

const badSize = ({ outputDimensionality }: JsonObject): Problem | undefined =>
  outputDimensionality === undefined ||
  (Number.isInteger(outputDimensionality) &&
    Number(outputDimensionality) >= 1 &&
    Number(outputDimensionality) <= 3072)
    ? undefined
    : invalid("* EmbedContentRequest.output_dimensionality: must be in the range of 1 to 3072\n")

const badFields = (body: JsonObject, fields: ReadonlyArray<string>): Problem | undefined => {
  const name = Object.keys(body).find((name) => !fields.includes(name))
  return name === undefined
    ? undefined
    : invalid(`Invalid JSON payload received. Unknown name "${name}": Cannot find field.`)
}

export const parseGoogleEmbedding = ({ body, endpoint }: UpstreamRequest): Embed | Problem => {
  const [, encoded = "", method] = /models\/([^/:]+):(\w+)/.exec(endpoint) ?? []
  const model = decodeURIComponent(encoded)
  if (!isObject(body)) return invalid("Invalid JSON payload received.")
  if (method === "embedContent") {
    const text = contentText(body.content)
    return (
      badFields(body, single) ??
      badSize(body) ??
      (text === undefined
        ? invalid("* EmbedContentRequest.content: contents is not specified\n")
        : embed(model, [text], body.outputDimensionality, ([values]) => ({ embedding: { values } })))
    )
  }
  const requests = asArray(body.requests).map(asObject)
  if (requests.length === 0)
    return (
      badFields(body, ["requests"]) ??
      invalid("* BatchEmbedContentsRequest.requests: requests is not specified\n")
    )
  if (requests.length > mostGoogle)
    return invalid("* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch\n")
  const inputs: Array<string> = []
  for (const [index, request] of requests.entries()) {
    const problem = badFields(request, single) ?? badSize(request)
    if (problem !== undefined) return problem
    if (request.model !== `models/${model}`)
      return invalid(
        `* BatchEmbedContentsRequest.requests[${index}].model: unexpected model name format, expected models/${model}\n`
      )
    const text = contentText(request.content)
    if (text === undefined)
      return invalid(`* BatchEmbedContentsRequest.requests[${index}].content: contents is not specified\n`)
    inputs.push(text)
  }
  return embed(model, inputs, requests[0]?.outputDimensionality, (vectors) => ({
    embeddings: vectors.map((values) => ({ values }))
  }))
}

/** Texts of one request to Workers AI. */
const mostWorkersAi = 100

export const parseWorkersAiEmbedding = (body: JsonObject, model: string): Embed | Problem => {
  const inputs = texts(body.text)
  if (inputs === undefined || inputs.length === 0)
    return invalid("oneOf at '/' not met, 0 matches: required properties at '/' are 'text'")
  if (inputs.length > mostWorkersAi) return invalid(`Length of '/text' must be <= ${mostWorkersAi}`)
  return embed(model, inputs, undefined, (data, tokens) => ({
    result: {
      shape: [data.length, data[0]?.length ?? 0],
      data,
      pooling: body.pooling ?? "mean",
      usage: { prompt_tokens: tokens, completion_tokens: 0, total_tokens: tokens }
    },
    success: true,
    errors: [],
    messages: []
  }))
}
