/**
 * The error of an answer, kept with its headers: some clients keep an error's headers and only a part of its body, and
 * the gateway's own envelope is then lost (`openai` keeps `body.error` alone).
 */
import type { LegError } from "../errors.js"

/** The same in every copy of this library. */
const key = Symbol.for("effect-ai-gateway/ErrorOfHeaders")

/** Nothing that lists or copies headers sees it. */
export const keep = (headers: Headers, error: LegError): void => {
  Object.defineProperty(headers, key, { value: error })
}

export const kept = (headers: unknown): unknown =>
  typeof headers === "object" && headers !== null ? Reflect.get(headers, key) : undefined
