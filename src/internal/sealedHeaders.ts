/** Headers on their way out: secrets unwrapped, as late as possible, and remembered, so that no text shows them. */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { InvalidRequest } from "./errors.js"
import { credentialHeaders } from "./redactedHeaders.js"

/** Headers as they go out, and the secrets among them, which no text may show. */
export interface Sealed {
  readonly headers: Readonly<Record<string, string>>
  readonly secrets: ReadonlyArray<string>
}

/** Unwraps secrets, and checks what a header cannot carry. `field` is where the headers are set. */
export const seal = (
  field: string,
  headers: Readonly<Record<string, string | Redacted.Redacted | undefined>> | undefined
): Either.Either<Sealed, InvalidRequest> => {
  const open: Record<string, string> = {}
  const secrets: Array<string> = []
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (value === undefined) continue
    const key = name.toLowerCase()
    // These describe a connection, and that is the HTTP client's and the gateway's to say.
    if (key === "host" || key === "content-length") continue
    const text = Redacted.isRedacted(value) ? Redacted.value(value) : value
    // A client's own complaint about a bad value would quote it, and with it the key.
    if (
      typeof text !== "string" ||
      !/^[\t\x20-\x7e]*$/.test(text) ||
      !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)
    ) {
      return Either.left(
        new InvalidRequest({
          field: `${field}.${name}`,
          message: `The header ${JSON.stringify(name)} has a character that a header cannot carry, such as a line break.`
        })
      )
    }
    if (Redacted.isRedacted(value) || credentialHeaders.includes(key))
      secrets.push(text.replace(/^(Bearer|Token|Key|Basic) /i, ""))
    open[key] = text
  }
  return Either.right({ headers: open, secrets })
}
