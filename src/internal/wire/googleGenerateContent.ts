/**
 * Google's `generateContent`, of AI Studio and of Vertex AI. Source: `protocol/wire-formats.md` §8, §2.1.
 */
import * as Answer from "./googleAnswer.js"
import * as Request from "./googleRequest.js"
import * as Stream from "./googleStream.js"
import { pathSegment } from "./pathSegment.js"
import type { Wire } from "./wire.js"

const make = (place: Request.Place): Wire => ({
  encode: (input) => Request.encode(input, place),
  decode: (json) => Answer.decode(json, place.slug),
  decoder: () => Stream.decoder(place.slug)
})

const segmentOf = (model: string): string => pathSegment(model.replace(/^(.*\/)?models\//, ""))

/** AI Studio. */
export const wire: Wire = make({
  slug: "google-ai-studio",
  path: (model) => `v1beta/models/${segmentOf(model)}`,
  callIds: true,
  streamArguments: false
})

/** Vertex AI. Ids of calls do not go there, as vercel/ai has found: names and order tell calls apart. */
export const vertex = (options: {
  readonly project: string
  readonly location: string
  readonly streamArguments: boolean
}): Wire => {
  const base = `v1/projects/${pathSegment(options.project)}/locations/${pathSegment(options.location)}`
  return make({
    slug: "google-vertex-ai",
    path: (model) => `${base}/publishers/google/models/${segmentOf(model)}`,
    callIds: false,
    streamArguments: options.streamArguments
  })
}
