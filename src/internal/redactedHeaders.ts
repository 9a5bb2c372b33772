/** Header names whose values `@effect/platform` must not show in spans and logs. */
import * as Headers from "@effect/platform/Headers"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** Headers that carry a credential of the gateway or of some provider. */
export const credentialHeaders: ReadonlyArray<string> = [
  "authorization",
  "cf-aig-authorization",
  "x-api-key",
  "x-goog-api-key",
  "api-key",
  "xi-api-key",
  "x-amz-security-token",
  "cf-access-token",
  "cf-access-client-secret"
]

export const redactGatewayHeaders = (
  extra: Readonly<Record<string, unknown>> | undefined
): Layer.Layer<never> =>
  Layer.scopedDiscard(
    Effect.locallyScopedWith(Headers.currentRedactedNames, (names) => [
      ...names,
      ...credentialHeaders,
      ...Object.keys(extra ?? {}).map((name) => name.toLowerCase())
    ])
  )
