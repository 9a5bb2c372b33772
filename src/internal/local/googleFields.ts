/**
 * The fields that Google's `generateContent` knows, message by message: it refuses a request with any other. From
 * Google's published API as generally known, where this project's protocol notes do not list them.
 */
import { asArray, isObject, type JsonObject } from "./json.js"

/** Each field leads to the message that it holds; `undefined` where nothing is looked into. */
type Shape = Readonly<Record<string, string | undefined>>

const plain = (...names: ReadonlyArray<string>): Shape =>
  Object.fromEntries(names.map((name) => [name, undefined]))

const messages: Readonly<Record<string, Shape>> = {
  Request: {
    ...plain("cachedContent", "labels", "model", "safetySettings"),
    contents: "Content",
    systemInstruction: "Content",
    tools: "Tool",
    toolConfig: "ToolConfig",
    generationConfig: "GenerationConfig"
  },
  Content: { ...plain("role"), parts: "Part" },
  Part: {
    ...plain(
      "text",
      "thought",
      "thoughtSignature",
      "executableCode",
      "codeExecutionResult",
      "videoMetadata",
      "mediaResolution",
      "partMetadata"
    ),
    inlineData: "Blob",
    fileData: "FileData",
    functionCall: "FunctionCall",
    functionResponse: "FunctionResponse"
  },
  Blob: plain("mimeType", "data", "displayName"),
  FileData: plain("mimeType", "fileUri", "displayName"),
  FunctionCall: plain("id", "name", "args"),
  FunctionResponse: { ...plain("id", "name", "response", "willContinue", "scheduling"), parts: "Part" },
  Tool: {
    ...plain(
      "googleSearch",
      "googleSearchRetrieval",
      "codeExecution",
      "urlContext",
      "computerUse",
      "googleMaps",
      "fileSearch",
      "retrieval",
      "enterpriseWebSearch"
    ),
    functionDeclarations: "FunctionDeclaration"
  },
  FunctionDeclaration: {
    ...plain("name", "description", "behavior", "parametersJsonSchema", "responseJsonSchema"),
    parameters: "Schema",
    response: "Schema"
  },
  ToolConfig: { ...plain("retrievalConfig"), functionCallingConfig: "FunctionCallingConfig" },
  FunctionCallingConfig: plain("mode", "allowedFunctionNames"),
  VertexFunctionCallingConfig: plain("mode", "allowedFunctionNames", "streamFunctionCallArguments"),
  GenerationConfig: {
    ...plain(
      "stopSequences",
      "responseMimeType",
      "responseModalities",
      "responseJsonSchema",
      "candidateCount",
      "maxOutputTokens",
      "temperature",
      "topP",
      "topK",
      "seed",
      "presencePenalty",
      "frequencyPenalty",
      "responseLogprobs",
      "logprobs",
      "enableEnhancedCivicAnswers",
      "speechConfig",
      "imageConfig",
      "mediaResolution",
      "routingConfig",
      "audioTimestamp"
    ),
    responseSchema: "Schema",
    thinkingConfig: "ThinkingConfig"
  },
  ThinkingConfig: plain("includeThoughts", "thinkingBudget", "thinkingLevel"),
  Schema: {
    ...plain(
      "type",
      "format",
      "title",
      "description",
      "nullable",
      "enum",
      "maxItems",
      "minItems",
      "required",
      "minProperties",
      "maxProperties",
      "minLength",
      "maxLength",
      "pattern",
      "example",
      "propertyOrdering",
      "default",
      "minimum",
      "maximum"
    ),
    items: "Schema",
    anyOf: "Schema",
    properties: "Schemas"
  }
}

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** The first unknown field: its name, and the place as Google writes it. */
const unknownIn = (
  value: unknown,
  shape: string,
  at: string,
  vertex: boolean
): { readonly name: string; readonly at: string } | undefined => {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const found = unknownIn(item, shape, `${at}[${index}]`, vertex)
      if (found !== undefined) return found
    }
    return undefined
  }
  if (!isObject(value)) return undefined
  if (shape === "Schemas") {
    for (const [name, inner] of Object.entries(value)) {
      const found = unknownIn(inner, "Schema", `${at}[${JSON.stringify(name)}]`, vertex)
      if (found !== undefined) return found
    }
    return undefined
  }
  const known =
    messages[vertex && shape === "FunctionCallingConfig" ? "VertexFunctionCallingConfig" : shape] ?? {}
  for (const [name, inner] of Object.entries(value)) {
    const field = camel(name)
    if (!(field in known)) return { name, at }
    const next = known[field]
    const place = at === "" ? snake(field) : `${at}.${snake(field)}`
    const found = next === undefined ? undefined : unknownIn(inner, next, place, vertex)
    if (found !== undefined) return found
  }
  return undefined
}

/** Google's words for a field that it does not know; `undefined` if it knows them all. */
export const unknownField = (body: JsonObject, vertex: boolean): string | undefined => {
  const found = unknownIn(body, "Request", "", vertex)
  return found === undefined
    ? undefined
    : `Invalid JSON payload received. Unknown name "${found.name}"${found.at === "" ? "" : ` at '${found.at}'`}: Cannot find field.`
}

/** The same object with names in camel case, which this project reads; below it, what was there. */
export const camelised = (value: unknown): JsonObject =>
  isObject(value)
    ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [camel(name), inner]))
    : {}

export const camelisedAll = (value: unknown): ReadonlyArray<JsonObject> => asArray(value).map(camelised)
