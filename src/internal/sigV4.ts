/** Amazon's signature of a request, version 4, made by `aws4fetch`. */
import { AwsV4Signer } from "aws4fetch"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
  readonly sessionToken?: Redacted.Redacted | undefined
}

/** A POST of JSON to one of Amazon's own URLs. */
export interface Unsigned {
  readonly url: string
  readonly service: string
  readonly region: string
  readonly body: string
}

export type Headers = Readonly<Record<string, string | Redacted.Redacted>>

const secretHeaders: ReadonlyArray<string> = ["authorization", "x-amz-security-token"]

/**
 * The headers that sign it. They hold for this body, byte for byte, and for a few minutes. `host` is signed as well, and is
 * Amazon's own: whoever passes the request on has to send that.
 */
export const sign = (request: Unsigned, credentials: Credentials): Effect.Effect<Headers, unknown> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.tryPromise({
      try: () => signed(request, credentials, new Date(now)),
      catch: (reason) => reason
    })
  )

const signed = async (
  { url, service, region, body }: Unsigned,
  { accessKeyId, secretAccessKey, sessionToken }: Credentials,
  date: Date
): Promise<Headers> => {
  const { headers } = await new AwsV4Signer({
    method: "POST",
    url,
    body,
    service,
    region,
    accessKeyId,
    secretAccessKey: Redacted.value(secretAccessKey),
    ...(sessionToken === undefined ? {} : { sessionToken: Redacted.value(sessionToken) }),
    datetime: date.toISOString().replace(/[:-]|\.\d{3}/g, "")
  }).sign()
  const kept: Record<string, string | Redacted.Redacted> = {}
  headers.forEach((value, name) => {
    kept[name] = secretHeaders.includes(name) ? Redacted.make(value) : value
  })
  return kept
}
