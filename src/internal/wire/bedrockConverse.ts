/**
 * Amazon Bedrock's Converse and ConverseStream, in one region. Source: `protocol/wire-formats.md` §10.
 */
import * as AwsEventStream from "./awsEventStream.js"
import { decode } from "./bedrockConverseAnswer.js"
import { encode } from "./bedrockConverseRequest.js"
import { decoder } from "./bedrockConverseStream.js"
import type { Wire } from "./wire.js"

export const make = (region: string): Wire => ({
  encode: (input) => encode(region, input),
  decode,
  decoder,
  framing: AwsEventStream.format
})
