/** What may stand behind a gateway's base URL: one provider's slug, and a path that stays behind it. */
import { InvalidRequest } from "./errors.js"

/** A provider and the path behind it. */
export interface Place {
  readonly provider: string
  readonly endpoint: string
}

/** What is wrong with a place, if anything. `prefix` stands before the name of the field. */
export const placeOf = ({ provider, endpoint }: Place, prefix: string): InvalidRequest | undefined => {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(provider)) {
    return new InvalidRequest({
      field: `${prefix}provider`,
      message: "provider must be a gateway slug such as openai."
    })
  }
  if (endpoint.startsWith("/") || hasDotSegment(endpoint) || hasControlCharacter(endpoint)) {
    return new InvalidRequest({
      field: `${prefix}endpoint`,
      provider,
      message:
        "endpoint must be a path behind the provider, without a leading slash, dot segments and control characters."
    })
  }
  return undefined
}

/** A URL parser would turn ".." into another provider's path, where this provider's key must not go. */
export const hasDotSegment = (path: string): boolean =>
  /(^|[/\\])\.{1,2}([/\\?#]|$)/.test(path.replace(/%2e/gi, "."))

/** A URL parser drops them, even between two dots. */
export const hasControlCharacter = (path: string): boolean =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  /[\x00-\x1f]/.test(path)
