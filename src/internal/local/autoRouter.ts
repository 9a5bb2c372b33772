/** The auto router: `cloudflare/auto` on the gateway's OpenAI-shaped endpoint. */

import type { Answered } from "./answered.js"
import { type CatalogModel, catalogModel } from "./catalog.js"
import { gatewayError } from "./errors.js"
import { uuid } from "./ids.js"
import type { Options } from "./options.js"
import type { HeaderMap } from "./settings.js"

export interface Candidate extends CatalogModel {
  readonly name: string
  /** What the answer says of the choice. */
  readonly headers: Readonly<Record<string, string>>
}

export type Choice =
  | { readonly ok: true; readonly candidates: ReadonlyArray<Candidate> }
  | { readonly ok: false; readonly answer: Answered }

export interface AutoRouter {
  /** The models to try, best first. */
  readonly choose: (headers: HeaderMap) => Choice
  readonly clear: () => void
}

const pool = ["openai/gpt-5-mini", "anthropic/claude-haiku-4.5", "google/gemini-2.5-flash"]

const listed = (value: string | undefined): ReadonlyArray<string> =>
  (value ?? "")
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "")

/** `*` stands for anything within one side of the slash. */
const matches = (pattern: string, name: string): boolean =>
  new RegExp(
    `^${pattern
      .split("*")
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join("[^/]*")}$`
  ).test(name)

/** Cloudflare documents the status, not the code. */
const no = (message: string): Choice => ({ ok: false, answer: gatewayError(400, undefined, message) })

/** So many conversations are remembered. */
const kept = 1000

export const makeAutoRouter = (options: Options): AutoRouter => {
  const names = options.autoRouterModels ?? pool
  const pins = new Map<string, string>()

  const remember = (key: string | undefined, name: string): void => {
    if (key === undefined) return
    pins.set(key, name)
    const [oldest] = pins.keys()
    if (pins.size > kept && oldest !== undefined) pins.delete(oldest)
  }

  return {
    choose: (headers) => {
      const allowed = listed(headers["cf-aig-allowed-models"])
      const stray = allowed.find((pattern) => !names.some((name) => matches(pattern, name)))
      if (stray !== undefined) return no(`No model matches "${stray}" of cf-aig-allowed-models`)
      const providers = listed(headers["cf-aig-allowed-providers"])
      const open = names
        .filter((name) => allowed.length === 0 || allowed.some((pattern) => matches(pattern, name)))
        .flatMap((name) => {
          const model = catalogModel(name)
          return model === undefined ||
            (providers.length > 0 && !providers.includes(model.author) && !providers.includes(model.slug))
            ? []
            : [{ ...model, name }]
        })
      if (open.length === 0) return no("No model is left to route to")
      const session = headers["cf-aig-session-id"]
      const turn = headers["cf-aig-turn-id"]
      const sessionKey =
        session === undefined || headers["cf-aig-no-session-affinity"] === "true"
          ? undefined
          : JSON.stringify([session])
      const turnKey = turn === undefined ? undefined : JSON.stringify([session, turn])
      const pinned = turnKey === undefined ? undefined : pins.get(turnKey)
      const before = pinned ?? (sessionKey === undefined ? undefined : pins.get(sessionKey))
      const ordered = [...open].sort((a, b) => Number(b.name === before) - Number(a.name === before))
      const first = ordered[0]?.name ?? ""
      remember(sessionKey, first)
      remember(turnKey, first)
      const reason =
        pinned !== undefined && pinned === first
          ? "pinned_by_turn"
          : open.length === 1
            ? "forced_by_candidate_pool"
            : "cost_optimal_within_pool"
      const ids = { "cf-aig-routing-decision-id": uuid(), "cf-aig-request-id": uuid() }
      return {
        ok: true,
        candidates: ordered.map((model, index) => ({
          ...model,
          headers: {
            ...ids,
            "cf-aig-routed-model": model.name,
            "cf-aig-routing-reason": index === 0 ? reason : "fallback_candidate_unavailable"
          }
        }))
      }
    },
    clear: () => pins.clear()
  }
}
