/** The settings of a real gateway, from the environment. What is missing or empty is said in one line. */
import { Either, Redacted } from "effect"

type Environment = Readonly<Record<string, string | undefined>>

export interface Settings {
  readonly accountId: string
  readonly gatewayId: string
  readonly token: Redacted.Redacted
  readonly baseUrl: string | undefined
  /** `undefined`: ask this provider without a key. Absent: do not ask it. */
  readonly keys: {
    readonly openai?: Redacted.Redacted | undefined
    readonly anthropic?: Redacted.Redacted | undefined
    readonly google?: Redacted.Redacted | undefined
    readonly workersAi?: Redacted.Redacted
  }
}

const required = ["CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_GATEWAY_ID", "CLOUDFLARE_API_TOKEN"] as const

const optional = [
  "CLOUDFLARE_AI_GATEWAY_BASE_URL",
  "OPENAI_API_KEY",
  "ANTHROPIC_API_KEY",
  "GOOGLE_API_KEY",
  "CLOUDFLARE_WORKERS_AI_TOKEN"
] as const

/** Any of the three says that a real gateway is meant, even an empty one. */
export const isReal = (environment: Environment): boolean =>
  required.some((name) => environment[name] !== undefined)

export const read = (environment: Environment): Either.Either<Settings, string> => {
  const missing = required.filter((name) => environment[name] === undefined)
  if (missing.length > 0) {
    return Either.left(
      `${missing.join(" and ")} must be set too: a real gateway needs ${required.join(", ")}. Unset all to run locally.`
    )
  }
  const empty = [...required, ...optional].filter((name) => environment[name]?.trim() === "")
  if (empty.length > 0) return Either.left(`${empty.join(" and ")} is set, but empty.`)
  const [accountId = "", gatewayId = "", token = ""] = required.map((name) => environment[name]?.trim())
  const keys = keysOf(environment, token)
  if (Object.keys(keys).length === 0) {
    return Either.left(
      "No provider to ask: set OPENAI_API_KEY, ANTHROPIC_API_KEY, GOOGLE_API_KEY, WORKERS_AI=1, or BYOK=1. See: npm start -- --help"
    )
  }
  return Either.right({
    accountId,
    gatewayId,
    token: Redacted.make(token),
    baseUrl: environment.CLOUDFLARE_AI_GATEWAY_BASE_URL,
    keys
  })
}

const isOn = (flag: string | undefined): boolean => flag === "1" || flag === "true"

const keysOf = (environment: Environment, token: string): Settings["keys"] => {
  const keyless = isOn(environment.BYOK) || isOn(environment.UNIFIED_BILLING)
  const workersAi =
    environment.CLOUDFLARE_WORKERS_AI_TOKEN ?? (isOn(environment.WORKERS_AI) ? token : undefined)
  const key = <K extends string>(name: K, value: string | undefined) =>
    value === undefined
      ? undefined
      : ({ [name]: Redacted.make(value.trim()) } as Record<K, Redacted.Redacted>)
  return {
    ...(keyless ? { openai: undefined, anthropic: undefined, google: undefined } : {}),
    ...key("openai", environment.OPENAI_API_KEY),
    ...key("anthropic", environment.ANTHROPIC_API_KEY),
    ...key("google", environment.GOOGLE_API_KEY),
    ...key("workersAi", workersAi)
  }
}
