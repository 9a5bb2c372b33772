/** Another client's request as errors and spans may show it: with no credential in it. */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { credentialHeaders } from "./redactedHeaders.js"

export const redacted = "<redacted>"

/** Google takes its key in the query, AWS a whole signature. */
const inQuery =
  /([?&](?:key|api[-_]?key|access[-_]?token|x-amz-(?:credential|signature|security-token))=)[^&#]*/gi
const parameter = /^(?:key|api[-_]?key|access[-_]?token|x-amz-(?:credential|signature|security-token))$/i

export const bareUrl = (url: string): string =>
  url.replace(/^([a-z]+:\/\/)[^/?#]*@/i, "$1").replace(inQuery, `$1${redacted}`)

export const bare = (request: HttpClientRequest.HttpClientRequest): HttpClientRequest.HttpClientRequest => {
  const headers: Record<string, string> = {}
  for (const name of Object.keys(request.headers)) {
    if (credentialHeaders.includes(name)) headers[name] = redacted
  }
  const urlParams = request.urlParams.map(
    ([name, value]) => [name, parameter.test(name) ? redacted : value] as const
  )
  return HttpClientRequest.modify(request, { headers, url: bareUrl(request.url), urlParams })
}
