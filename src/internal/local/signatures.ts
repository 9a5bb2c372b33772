/** Credentials that are more than a key: AWS's signatures, Google's service accounts. Their form, not their truth. */
import { asObject, isObject, parseJson } from "./json.js"
import type { HeaderMap } from "./settings.js"

const scheme = "AWS4-HMAC-SHA256"

/** What is wrong with an AWS signature for Bedrock in the region of the path; `undefined` if its form is right. */
export const signatureProblem = (headers: HeaderMap, path: string): string | undefined => {
  const authorization = headers.authorization ?? ""
  const field = (name: string) => new RegExp(`[ ,]${name}=([^, ]+)`).exec(authorization)?.[1]
  const credential = field("Credential")
  const signed = field("SignedHeaders")?.split(";")
  const signature = field("Signature")
  const date = headers["x-amz-date"]
  if (credential === undefined || signed === undefined || signature === undefined)
    return "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters."
  if (date === undefined || !/^\d{8}T\d{6}Z$/.test(date))
    return "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
  const [key, day, region, service, end] = credential.split("/")
  if (key === "" || end !== "aws4_request")
    return "Credential should be scoped with a valid terminator: 'aws4_request'."
  if (day !== date.slice(0, 8))
    return "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP."
  if (service !== "bedrock") return `Credential should be scoped to correct service: 'bedrock'.`
  if (region !== path.split("/")[1]) return "Credential should be scoped to a valid region."
  if (!/^[0-9a-f]{64}$/.test(signature))
    return "The request signature we calculated does not match the signature you provided."
  if (!signed.includes("host") || !signed.includes("x-amz-date"))
    return "'Host' and 'X-Amz-Date' must be signed headers in the AWS Signature."
  const gone = signed.find((name) => name !== "host" && headers[name] === undefined)
  if (gone !== undefined) return `The signed header ${gone} did not arrive.`
  const unsigned = Object.keys(headers).find((name) => name.startsWith("x-amz-") && !signed.includes(name))
  return unsigned === undefined
    ? undefined
    : `There were headers present in the request which were not signed: ${unsigned}`
}

export const isSignature = (authorization: string): boolean => authorization.startsWith(scheme)

/** The access key that signed. */
export const accessKeyOf = (authorization: string): string =>
  /Credential=([^/, ]+)/.exec(authorization)?.[1] ?? ""

const fromBase64 = (text: string): unknown => {
  try {
    return parseJson(atob(text))
  } catch {
    return undefined
  }
}

/**
 * What is wrong with Vertex's credential: an access token, or a service account in base64 with `region` in it. The
 * account's own fields are as Google's key files are generally known to be.
 */
export const serviceAccountProblem = (credential: string): string | undefined => {
  const account = fromBase64(credential)
  if (!isObject(account)) return undefined
  const missing = ["type", "client_email", "private_key", "region"].find(
    (name) => typeof asObject(account)[name] !== "string"
  )
  return missing === undefined ? undefined : `The service account has no ${missing}.`
}
