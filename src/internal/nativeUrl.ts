/** From a provider's native URL to its place behind the gateway, and back. Source: `protocol/gateway.md` §6. */
import * as Either from "effect/Either"
import {
  type DirectoryRow,
  directory,
  findSlug,
  isCustom,
  rows,
  type Slug,
  type Templates,
  unknownProvider
} from "./directory.js"
import { hasControlCharacter, hasDotSegment, type Place, placeOf } from "./endpoint.js"
import { InvalidRequest } from "./errors.js"

export const toGateway = (
  url: string | URL,
  options: { readonly provider?: string | undefined } = {}
): Either.Either<Place, InvalidRequest> => {
  const parsed = parse(String(url))
  if (parsed._tag === "Left") return Either.left(parsed.left)
  const known = ownerOf(parsed.right)
  const asked = options.provider === undefined ? undefined : (findSlug(options.provider) ?? options.provider)
  if (known !== undefined && (asked === undefined || asked === known)) return lookUp(parsed.right, known)
  if (asked === undefined) return invalid("url", unknownHost(parsed.right))
  // A provider of the table at another one's host is a mistake; a custom provider may be anywhere.
  if (known !== undefined && findSlug(asked) !== undefined) {
    return invalid("provider", `${parsed.right.host} belongs to ${known}, not to ${asked}.`, asked)
  }
  return checked({ provider: asked, endpoint: parsed.right.pathname.slice(1) + parsed.right.search })
}

export const toNative = (
  provider: string,
  endpoint: string,
  options: { readonly accountId?: string | undefined } = {}
): Either.Either<string, InvalidRequest> => {
  const slug = findSlug(provider)
  if (slug === undefined) {
    return isCustom(provider)
      ? invalid("provider", `Only the gateway's settings know where ${provider} is.`, provider)
      : invalid("provider", unknownProvider(provider))
  }
  const place = placeOf({ provider: slug, endpoint }, "")
  if (place !== undefined) return Either.left(place)
  const row = directory[slug]
  const candidates = [...row.places, ...(row.otherEndpoints ?? [])]
  if (candidates.length === 0) {
    return invalid("provider", `${slug} has no native URL that is documented.`, slug)
  }
  const found = translate(upTo("#", endpoint), candidates, "endpoint", "native", options)
  if (found === undefined) {
    return invalid("endpoint", `An endpoint of ${slug} is ${shapes(candidates, "endpoint")}.`, slug)
  }
  if ("missing" in found) {
    return invalid(found.missing, `The native URL of ${slug} holds ${found.missing}: give it.`, slug)
  }
  return Either.mapBoth(parse(found.text), {
    onLeft: ({ message }) => new InvalidRequest({ field: "endpoint", provider: slug, message }),
    onRight: (url) => url.href
  })
}

const parse = (text: string): Either.Either<URL, InvalidRequest> => {
  const path = upTo("?", upTo("#", text))
  // A URL parser mends these, and what it makes of them is not what a reader sees.
  if (
    !/^https?:\/\/[^/]/i.test(text) ||
    path.includes("\\") ||
    hasControlCharacter(text) ||
    /^\s|\s$/.test(text)
  ) {
    return invalid("url", "The URL must begin with https:// and have no control characters and backslashes.")
  }
  if (hasDotSegment(path)) return invalid("url", "The URL must have no dot segments.")
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return invalid("url", "This is not a URL.")
  }
  return url.username === "" && url.password === ""
    ? Either.right(url)
    : invalid("url", "The URL must not hold a user name or password: a key belongs to its provider's apiKey.")
}

/** Whose host is it? */
export const ownerOf = (url: URL): Slug | undefined => {
  for (const [slug, row] of rows()) {
    for (const { native } of nativePlaces(row)) {
      if (compile(originOf(native)).test(`https://${url.host}`)) return slug
    }
  }
  return undefined
}

const lookUp = (url: URL, slug: Slug): Either.Either<Place, InvalidRequest> => {
  const places = nativePlaces(directory[slug])
  const found = translate(`${url.origin}${url.pathname}${url.search}`, places, "native", "endpoint", {})
  if (found !== undefined && "text" in found) return checked({ provider: slug, endpoint: found.text })
  return invalid(
    "url",
    `${url.host} belongs to ${slug}, but a URL of ${slug} is ${shapes(places, "native")}. Other URLs need a custom provider.`,
    slug
  )
}

const upTo = (mark: "?" | "#", text: string): string => {
  const index = text.indexOf(mark)
  return index < 0 ? text : text.slice(0, index)
}

const nativePlaces = (row: DirectoryRow): ReadonlyArray<Templates> => [
  ...row.places,
  ...(row.otherUrls ?? [])
]

const originOf = (native: string): string => native.slice(0, native.indexOf("/", "https://".length))

const checked = (place: Place): Either.Either<Place, InvalidRequest> => {
  const wrong = placeOf(place, "")
  if (wrong !== undefined) {
    return wrong.field === "endpoint"
      ? invalid("url", `Of this URL, the ${wrong.message}`, place.provider)
      : Either.left(wrong)
  }
  return place.endpoint === "" || place.endpoint.startsWith("?")
    ? invalid("url", "The URL has no path, and so names no endpoint.", place.provider)
    : Either.right(place)
}

type Translated = { readonly text: string } | { readonly missing: string } | undefined

const translate = (
  text: string,
  places: ReadonlyArray<Templates>,
  from: keyof Templates,
  to: keyof Templates,
  given: Readonly<Record<string, string | undefined>>
): Translated => {
  for (const place of places) {
    const match = compile(place[from], restOf(place[from])).exec(text)
    if (match === null) continue
    let missing: string | undefined
    const written = place[to].replace(holes, (_, name: string) => {
      const value = match.groups?.[name] ?? given[name]
      // What the caller gives must be one label or segment as well.
      if (value !== undefined && compile(`{${name}}`).test(value)) return value
      missing = name
      return ""
    })
    return missing === undefined ? { text: written + (match.groups?.rest ?? "") } : { missing }
  }
  return undefined
}

const holes = /\{(\w+)\}/g

const hole = (name: string): string => {
  switch (name) {
    case "accountId":
    case "region":
    case "resource":
      return "[A-Za-z0-9][A-Za-z0-9-]{0,62}"
    default:
      return "[^/?\\\\]+"
  }
}

/** Behind a slash there must be something; else there may be. */
const restOf = (template: string): string =>
  template === "" || /[/@]$/.test(template) ? "(?<rest>[^/?].*)" : "(?<rest>(?:[/?].*)?)"

const compiled = new Map<string, RegExp>()

const compile = (template: string, rest = ""): RegExp => {
  const key = `${template} ${rest}`
  const known = compiled.get(key)
  if (known !== undefined) return known
  const seen = new Set<string>()
  const source = template
    .split(holes)
    .map((part, index) => {
      if (index % 2 === 0) return part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
      if (seen.has(part)) return `\\k<${part}>`
      seen.add(part)
      return `(?<${part}>${hole(part)})`
    })
    .join("")
  const pattern = new RegExp(`^${source}${rest}$`, "s")
  compiled.set(key, pattern)
  return pattern
}

const shapes = (places: ReadonlyArray<Templates>, side: keyof Templates): string =>
  places.map((place) => `${place[side]}…`).join(" or ")

const unknownHost = (url: URL): string =>
  `${url.host} is not the host of a provider that the gateway knows: name the provider, such as custom-{slug}.`

const invalid = (field: string, message: string, provider?: string): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ field, message, ...(provider === undefined ? {} : { provider }) }))
