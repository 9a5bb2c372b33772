/**
 * From a verdict to an error with a message that a person can act on: who refused, what they said, what to do.
 */

import * as Duration from "effect/Duration"
import { fromHeaders } from "../../GatewayMetadata.js"
import {
  BadRequest,
  ContentBlocked,
  ContextLengthExceeded,
  GatewayNotFound,
  type LegError,
  MalformedResponse,
  ModelNotFound,
  ModelTimeout,
  ProviderFailure,
  QuotaExceeded,
  RateLimited,
  Unauthorized
} from "../errors.js"
import { unchecked } from "../unchecked.js"
import { withoutStack } from "../withoutStack.js"
import { bounded, type Facts, type Headers, isRecord, line, textOf, type Verdict } from "./text.js"

/** Headers may come from anywhere; only strings may reach the metadata, whose schema is strict. */
export const onlyStrings = (headers: unknown): Headers => {
  const kept: Record<string, string> = {}
  if (!isRecord(headers)) return kept
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (typeof value === "string") kept[name] = value
  }
  return kept
}

const who = (verdict: Verdict, { context }: Facts): string => {
  if (verdict.source === "gateway") return "The gateway"
  if (verdict.source === "edge") return "Cloudflare's edge"
  const provider = textOf(context.provider)
  return provider === undefined ? "The provider" : line(provider, 80)
}

const modelOf = ({ context }: Facts): string | undefined => {
  const model = textOf(context.model)
  return model === undefined ? undefined : line(model, 120)
}

const headline = (verdict: Verdict, facts: Facts): string => {
  if (verdict.headline !== undefined) return verdict.headline
  const name = who(verdict, facts)
  const model = modelOf(facts)
  switch (verdict.tag) {
    case "GatewayNotFound":
      return "The gateway does not exist"
    case "Unauthorized":
      return `${name} refused the credential`
    case "BadRequest":
      return `${name} refused the request`
    case "ModelNotFound":
      return `${name} does not know ${model === undefined ? "the model" : `the model ${model}`}`
    case "ContextLengthExceeded":
      return `The request does not fit into the context window of ${model ?? "the model"}`
    case "RateLimited":
      return `${name} is refusing requests because there are too many of them`
    case "QuotaExceeded":
      return verdict.source === "gateway"
        ? "The gateway's credit or spend limit is used up"
        : `The quota or credit at ${name === "The provider" ? "the provider" : name} is used up`
    case "ContentBlocked":
      return `${
        verdict.by === "guardrails"
          ? "The gateway's guardrails"
          : verdict.by === "dlp"
            ? "The gateway's data-loss prevention"
            : name
      } blocked the ${verdict.stage}`
    case "ProviderFailure":
      return `${name} failed`
    case "ModelTimeout":
      return `${name} ran out of time`
    case "MalformedResponse":
      return `${name} sent an answer that is neither a success nor an error`
  }
}

const advice = (verdict: Verdict, { context, retryAfter }: Facts): string => {
  if (verdict.advice !== undefined) return verdict.advice
  const provider = textOf(context.provider)
  switch (verdict.tag) {
    case "GatewayNotFound":
      return "Check accountId and gatewayId, or create the gateway in the Cloudflare dashboard."
    case "Unauthorized":
      return verdict.source === "gateway"
        ? "Check the gateway's token, its stored keys and its policies."
        : `Check the API key${provider === undefined ? "" : ` for ${line(provider, 80)}`}, and what it may use.`
    case "BadRequest":
      return "Change the request: sending it again as it is will not help."
    case "ModelNotFound":
      return "Check the model's name, and whether this key may use it."
    case "ContextLengthExceeded":
      return "Shorten the messages, lower the maximum of output tokens, or use a model with a larger window."
    case "RateLimited":
      return retryAfter === undefined
        ? "Slow down, or add another provider to fall back on."
        : `It asks for a pause of ${Duration.format(retryAfter)}.`
    case "QuotaExceeded":
      return "Waiting a moment will not help: add credit, raise the limit, or use another provider."
    case "ContentBlocked":
      return verdict.by === "provider"
        ? "Change the prompt."
        : "Change the prompt, or the gateway's settings in the Cloudflare dashboard."
    case "ProviderFailure":
    case "ModelTimeout":
      return "Try again, or add another provider to fall back on."
    case "MalformedResponse":
      return "Check the base URL, and any proxy on the way."
  }
}

const messageOf = (verdict: Verdict, facts: Facts): string => {
  const detail =
    facts.code !== undefined
      ? ` (code ${bounded(String(facts.code), 120)})`
      : facts.status !== undefined
        ? ` (HTTP ${facts.status})`
        : ""
  const words = facts.said === undefined ? "" : facts.said.length > 600 ? line(facts.said, 600) : facts.said
  const said = words === "" ? " and gave no reason." : `: "${words}"${/[.!?…]$/.test(words) ? "" : "."}`
  return bounded(`${headline(verdict, facts)}${detail}${said} ${advice(verdict, facts)}`, 1000)
}

/** Total: whatever the facts are, the error's schema accepts them. */
export const build = (verdict: Verdict, facts: Facts): LegError => withoutStack(() => toError(verdict, facts))

const toError = (verdict: Verdict, facts: Facts): LegError => {
  const metadata = fromHeaders(facts.headers)
  const fields = {
    message: messageOf(verdict, facts),
    source: verdict.source,
    provider: textOf(facts.context.provider),
    model: textOf(facts.context.model),
    status: facts.status,
    code: facts.code,
    logId: metadata.logId,
    gateway: Object.keys(metadata).length === 0 ? undefined : metadata,
    retryAfter: facts.retryAfter,
    retryable: facts.retryable
  }
  switch (verdict.tag) {
    case "GatewayNotFound":
      return new GatewayNotFound(fields, unchecked)
    case "Unauthorized":
      return new Unauthorized(fields, unchecked)
    case "BadRequest":
      return new BadRequest(fields, unchecked)
    case "ModelNotFound":
      return new ModelNotFound(fields, unchecked)
    case "ContextLengthExceeded":
      return new ContextLengthExceeded(fields, unchecked)
    case "RateLimited":
      return new RateLimited(fields, unchecked)
    case "QuotaExceeded":
      // No pause brings money back, so the server's "retry" is not passed on.
      return new QuotaExceeded(
        { ...fields, retryable: fields.retryable === false ? false : undefined },
        unchecked
      )
    case "ContentBlocked":
      return new ContentBlocked({ ...fields, stage: verdict.stage, by: verdict.by }, unchecked)
    case "ProviderFailure":
      return new ProviderFailure(fields, unchecked)
    case "ModelTimeout":
      return new ModelTimeout({ ...fields, phase: "provider" }, unchecked)
    case "MalformedResponse":
      return new MalformedResponse({ ...fields, excerpt: facts.excerpt() })
  }
}
