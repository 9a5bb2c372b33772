/** Names of models in paths. A lone surrogate, which no URL can hold, must not throw. */
const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, "\ufffd")

export const pathSegment = (name: string): string => encodeURIComponent(wellFormed(name))

/** Names of Workers AI, `@cf/meta/…`, are paths themselves. */
export const workersAiPath = (name: string): string =>
  pathSegment(name).replace(/%(40|2F)/g, decodeURIComponent)
