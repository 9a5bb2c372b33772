/** An answer that comes as one JSON body: to a request without a stream, and sometimes to one with. */
import * as Either from "effect/Either"
import type { ChatEvent } from "../ChatEvent.js"
import type { Decoded } from "../ChatResponse.js"
import { classifyEvent, classifySuccess } from "./classify.js"
import { type LegError, MalformedResponse } from "./errors.js"
import type { GatewayResponse } from "./exchange.js"
import { type Asked, Response } from "./gatewayResponse.js"
import { parseJson, stringify } from "./json.js"
import { pushEnding } from "./wire/ending.js"
import { type Fault, isFault, type MalformedFault } from "./wire/wire.js"

/** What a body holds, of a chat or of any other kind. */
export const decode = <A extends object>(
  wire: { readonly decode: (json: unknown) => A | Fault },
  json: unknown,
  response: GatewayResponse,
  asked: Asked
): Either.Either<A, LegError> => {
  const error = classifySuccess(response.status, response.headers, json, contextOf(response, asked))
  if (error !== undefined) return Either.left(scrubError(json, response, asked, error))
  const decoded = wire.decode(json)
  if (!isFault(decoded)) return Either.right(decoded)
  return Either.left(faultError(decoded, stringify(json) ?? "", response, asked))
}

/** What a decoder found, as an error. `found` is the text in which it was found. */
export const faultError = (
  fault: Fault,
  found: string,
  response: GatewayResponse,
  asked: Asked
): LegError => {
  switch (fault._tag) {
    case "ErrorFault":
      return classifyEvent(scrubbed(fault.json, response), response.headers, contextOf(response, asked))
    case "MalformedFault":
      return malformed(placeOf(fault), found, response, asked)
    case "TruncatedFault":
      return malformed("the answer is incomplete", found, response, asked)
  }
}

/** The same error, from a body without credentials; usually the body has none, and nothing is done twice. */
const scrubError = (json: unknown, response: GatewayResponse, asked: Asked, error: LegError): LegError => {
  const clean = scrubbed(json, response)
  return clean === json
    ? error
    : (classifySuccess(response.status, response.headers, clean, contextOf(response, asked)) ?? error)
}

/** Who was asked, and on which host, which only the response knows. */
const contextOf = (response: GatewayResponse, asked: Asked): Asked =>
  response instanceof Response && response.asked.host !== undefined
    ? { ...asked, host: response.asked.host }
    : asked

/** JSON from outside, without our own credentials in it. */
const scrubbed = (json: unknown, response: GatewayResponse): unknown => {
  if (!(response instanceof Response)) return json
  const text = stringify(json)
  if (text === undefined) return json
  const clean = response.scrub(text)
  return clean === text ? json : parseJson(clean)
}

const placeOf = ({ place, problem }: MalformedFault): string =>
  place === "" ? problem : `at ${place}, ${problem}`

export const malformed = (
  problem: string,
  found: string,
  response: GatewayResponse,
  asked: Asked
): LegError =>
  response instanceof Response
    ? response.malformed(problem, found)
    : new MalformedResponse({
        ...asked,
        status: response.status,
        gateway: response.gateway,
        message: `${asked.provider} answered with something that its protocol does not allow: ${problem}`,
        excerpt: found.slice(0, 500)
      })

/** The events that a stream of the same answer would have had. */
export const pushEvents = (out: Array<ChatEvent>, decoded: Decoded): void => {
  for (const part of decoded.parts) {
    switch (part.type) {
      case "text":
        out.push({ _tag: "TextDelta", text: part.text })
        break
      case "reasoning":
        if (part.text !== "") out.push({ _tag: "ReasoningDelta", text: part.text })
        if (part.opaque !== undefined) out.push({ _tag: "ReasoningOpaque", ...part.opaque })
        break
      case "tool-call": {
        const { id, name, arguments: args } = part
        const index = out.filter((event) => event._tag === "ToolCall").length
        out.push({ _tag: "ToolCallDelta", index, name, arguments: args })
        out.push({ _tag: "ToolCall", index, id, name, arguments: args })
      }
    }
  }
  if (decoded.refusal !== undefined) out.push({ _tag: "RefusalDelta", text: decoded.refusal })
  for (const citation of decoded.citations ?? []) out.push({ _tag: "Citation", citation })
  const { finishReason, rawFinishReason, usage, model } = decoded
  pushEnding(out, { finishReason, rawFinishReason, usage, model })
}
