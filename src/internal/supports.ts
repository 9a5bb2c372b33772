/** What a model can take: asked of its encoder itself, so that the two can never disagree. */
import * as ChatRequest from "../ChatRequest.js"
import * as Message from "../Message.js"
import * as Tool from "../Tool.js"
import type { Feature } from "./model.js"
import type { Wire } from "./wire/wire.js"

const sampling: Required<ChatRequest.Sampling> = {
  temperature: 1,
  topP: 1,
  topK: 1,
  maxTokens: 1,
  stop: ["."],
  seed: 1,
  frequencyPenalty: 0,
  presencePenalty: 0,
  reasoningEffort: "low"
}

const samplingFields = Object.keys(sampling) as ReadonlyArray<keyof ChatRequest.Sampling>

let probe: Tool.Any | undefined

export const supports = ({
  wire,
  model,
  slug
}: {
  readonly wire: Wire
  readonly model: string
  readonly slug: string
}): ReadonlyArray<Feature> => {
  const taken = (
    features: ReadonlyArray<Feature>,
    asked: Partial<Omit<ChatRequest.ChatRequest, ChatRequest.TypeId>>
  ): ReadonlyArray<Feature> => {
    const request: ChatRequest.ChatRequest = {
      messages: [],
      ...asked,
      [ChatRequest.TypeId]: ChatRequest.TypeId
    }
    const { unsupported } = wire.encode({ model, request, provider: slug, stream: true })
    return features.filter((feature) => !unsupported.includes(feature))
  }
  const says = (...content: ReadonlyArray<Message.UserPart>) => ({ messages: [Message.user(content)] })
  probe ??= Tool.make("tool")
  return [
    // Each by itself: some exclude each other.
    ...samplingFields.flatMap((field) => taken([field], { [field]: sampling[field] })),
    ...taken(["tools", "parallelToolCalls"], { tools: [probe], parallelToolCalls: false }),
    ...taken(["output"], { output: { name: "output", jsonSchema: { type: "object", properties: {} } } }),
    ...taken(["images"], says(Message.image({ data: "AA==", mediaType: "image/png" }))),
    ...taken(["files"], says(Message.file({ data: "AA==", mediaType: "application/pdf" }))),
    "system",
    "streaming"
  ]
}
