/** From a reply to bytes, in the wire format that the request asked in. */

import { type Answered, type BodySource, Disconnected } from "./answered.js"
import { bodyOf, joined, type Piece } from "./body.js"
import { answerOf, isSpoken, millis, type Spoken } from "./builtIn.js"
import { blockedByDlp, blockedByGuardrails, dlpHeader, edgePage } from "./errors.js"
import type { Reply } from "./reply.js"
import type { Timing } from "./time.js"
import { untilAborted } from "./timing.js"
import { vectorOf } from "./vectors.js"
import type { Ask, Embed, Frame, Problem, Refusal, Wire } from "./wire.js"

const encoder = new TextEncoder()
const encode = (text: string | Uint8Array): Uint8Array =>
  typeof text === "string" ? encoder.encode(text) : text

export const refused = (refusal: Refusal): Answered => ({
  origin: "provider",
  status: refusal.status,
  headers: { "content-type": "application/json", ...refusal.headers },
  body: encode(JSON.stringify(refusal.body))
})

/** Events are texts; a vendor whose frames are binary has no line ends to change. */
const framed = (text: string | Uint8Array, reply: Reply): Uint8Array =>
  encode(typeof text === "string" && reply.modifiers.crlf === true ? text.replace(/\r?\n/g, "\r\n") : text)

function* piecesOf(frames: Iterable<Frame>, reply: Reply): Iterable<Piece> {
  for (const frame of frames) yield { bytes: framed(frame.text, reply), paced: frame.content }
}

function* halves(bytes: Uint8Array): Iterable<Piece> {
  const half = Math.ceil(bytes.length / 2)
  yield { bytes: bytes.subarray(0, half), paced: false }
  yield { bytes: bytes.subarray(half), paced: false }
}

const overloaded = (reply: Reply, wire: Wire): Problem => ({
  kind: "status",
  status: reply.modifiers.errorEvent?.status ?? wire.overloaded,
  message: reply.modifiers.errorEvent?.message
})

const errorBytes = (reply: Reply, wire: Wire, timing: Timing, ask?: Ask): Uint8Array => {
  const problem = overloaded(reply, wire)
  return framed(
    reply.modifiers.errorEvent?.form === "tail"
      ? `${JSON.stringify(wire.refuse(problem).body, null, 2)}\n`
      : wire.errorFrame(problem, timing.now(), ask),
    reply
  )
}

/** A whole body breaks, or goes silent, in its middle: after no bytes if that is asked for after 0 events. */
const wholeBody = (bytes: Uint8Array, reply: Reply, timing: Timing): Answered["body"] => {
  const { dropAfter, stallAfter, chunkBytes } = reply.modifiers
  if (dropAfter === undefined && stallAfter === undefined && chunkBytes === undefined) return bytes
  const once = (events: number | undefined) => (events === undefined ? undefined : Math.min(1, events))
  const drop = once(dropAfter)
  const stall = once(stallAfter)
  return bodyOf(
    {
      pieces: halves(bytes),
      pause: 0,
      modifiers: {
        ...(drop === undefined ? {} : { dropAfter: drop }),
        ...(stall === undefined ? {} : { stallAfter: stall }),
        ...(chunkBytes === undefined ? {} : { chunkBytes })
      },
      keepAlive: new Uint8Array(0),
      errorEvent: new Uint8Array(0)
    },
    timing
  )
}

const spoken = (ask: Ask, reply: Spoken, wire: Wire, timing: Timing): Answered => {
  const answer = answerOf(ask, reply, timing.now())
  const common = {
    origin: "provider",
    status: 200,
    usage: { input: answer.usage.input, output: answer.usage.output }
  } as const
  if (!ask.stream || reply.modifiers.unstreamed === true) {
    const body =
      reply.modifiers.errorEvent === undefined
        ? wire.whole(ask, answer)
        : wire.refuse(overloaded(reply, wire)).body
    return {
      ...common,
      headers: { "content-type": "application/json", ...wire.headers() },
      body: wholeBody(encode(JSON.stringify(body)), reply, timing)
    }
  }
  return {
    ...common,
    headers: { "content-type": wire.contentType, "cache-control": "no-cache", ...wire.headers() },
    body: bodyOf(
      {
        pieces: piecesOf(wire.frames(ask, answer), reply),
        pause: millis(reply.delay),
        modifiers: reply.modifiers,
        keepAlive: framed(wire.keepAlive, reply),
        errorEvent: errorBytes(reply, wire, timing, ask)
      },
      timing
    )
  }
}

/** Texts that are said have no meaning here: vectors are made from what was asked. */
const embedded = (embed: Embed, reply: Reply, wire: Wire, timing: Timing): Answered => {
  const vectors =
    reply._tag === "Vectors"
      ? reply.vectors
      : embed.inputs.map((text) => vectorOf(embed.model, text, embed.dimensions))
  const body =
    reply.modifiers.errorEvent === undefined
      ? embed.whole(vectors)
      : wire.refuse(overloaded(reply, wire)).body
  return {
    origin: "provider",
    status: 200,
    usage: { input: embed.inputWords, output: 0 },
    headers: { "content-type": "application/json", ...wire.headers() },
    body: wholeBody(encode(JSON.stringify(body)), reply, timing)
  }
}

const statusAnswer = (reply: Extract<Reply, { _tag: "Status" }>, wire: Wire, timing: Timing): Answered => {
  const refusal = wire.refuse({ kind: "status", status: reply.status, message: reply.message })
  const body = reply.body === undefined ? refusal.body : reply.body
  const bytes =
    typeof body === "string" || body instanceof Uint8Array ? encode(body) : encode(JSON.stringify(body))
  return {
    origin: "provider",
    status: reply.status,
    headers: {
      "content-type": typeof body === "string" ? "text/plain" : "application/json",
      ...(reply.body === undefined ? refusal.headers : {}),
      ...lowerCase(reply.headers)
    },
    body: wholeBody(bytes, reply, timing)
  }
}

const lowerCase = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

/** Modifiers that leave a body's bytes and their pace alone. */
const ofAnyBody: ReadonlyArray<string> = ["delay", "dlpFlag", "contentType", "crlf", "connections"]

const rawAnswer = (reply: Extract<Reply, { _tag: "Raw" }>, wire: Wire, timing: Timing): Answered => {
  const [only, ...others] = reply.chunks
  const common = { origin: "provider", status: reply.status, headers: lowerCase(reply.headers) } as const
  const plain = Object.keys(reply.modifiers).every((name) => ofAnyBody.includes(name))
  if (plain && others.length === 0) return { ...common, body: encode(only ?? "") }
  return {
    ...common,
    body: bodyOf(
      {
        pieces: reply.chunks.map((chunk) => ({ bytes: encode(chunk), paced: true })),
        pause: millis(reply.delay),
        modifiers: reply.modifiers,
        keepAlive: encode(wire.keepAlive),
        errorEvent: errorBytes(reply, wire, timing)
      },
      timing
    )
  }
}

/** The whole body at once: a response that is scanned is read to its end before any of it goes on. */
const buffered = (body: Answered["body"]): Answered["body"] => {
  if (body instanceof Uint8Array) return body
  const source: BodySource = (signal) => all(body(signal))
  return source
}

async function* all(rest: AsyncIterator<Uint8Array, void>): AsyncGenerator<Uint8Array, void> {
  const chunks: Array<Uint8Array> = []
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) chunks.push(next.value)
  yield joined(chunks)
}

/**
 * What the reply is on the wire. Rejects with `Disconnected` for a connection that breaks before an answer.
 * `ask` is absent where the endpoint has no built-in model: then only replies that need none can be sent.
 */
export const render = async (
  reply: Reply,
  wire: Wire,
  ask: Ask | Embed | undefined,
  path: string,
  timing: Timing,
  signal: AbortSignal
): Promise<Answered> => {
  const delay = millis(reply.modifiers.delay)
  if (delay > 0) await timing.sleep(delay, signal)
  const answered = await renderNow(reply, wire, ask, path, timing, signal)
  const { dlpFlag, contentType, connections } = reply.modifiers
  return {
    ...answered,
    headers: {
      ...answered.headers,
      ...(contentType === undefined ? {} : { "content-type": contentType }),
      ...(dlpFlag === undefined ? {} : { "cf-aig-dlp": dlpHeader(dlpFlag, "FLAG") })
    },
    body: dlpFlag === "response" ? buffered(answered.body) : answered.body,
    ...(connections === undefined ? {} : { connections })
  }
}

const renderNow = async (
  reply: Reply,
  wire: Wire,
  ask: Ask | Embed | undefined,
  path: string,
  timing: Timing,
  signal: AbortSignal
): Promise<Answered> => {
  if (isSpoken(reply) || reply._tag === "Vectors") {
    if (ask === undefined) return refused(wire.refuse({ kind: "endpoint", path }))
    if (ask._tag === "Embed") return embedded(ask, reply, wire, timing)
    // Vectors are no answer to a chat.
    return spoken(ask, isSpoken(reply) ? reply : { _tag: "Echo", modifiers: reply.modifiers }, wire, timing)
  }
  switch (reply._tag) {
    case "Status":
      return statusAnswer(reply, wire, timing)
    case "Raw":
      return rawAnswer(reply, wire, timing)
    case "Hang":
      return untilAborted(signal)
    case "Disconnect":
      throw new Disconnected()
    case "Guardrail":
      return blockedByGuardrails(reply.stage, reply.status)
    case "Dlp":
      return blockedByDlp(reply.stage, reply.status)
    case "EdgeHtml":
      return edgePage(reply.status)
  }
}
