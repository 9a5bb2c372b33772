/** What an answer cost by `cf-aig-custom-cost`: US dollars a token, or in all. There are no prices of models here. */
import type { Answered } from "./answered.js"
import { asObject } from "./json.js"

const rate = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined

export const costOf = (custom: unknown, usage: Answered["usage"]): number | undefined => {
  const { per_token_in, per_token_out, total_cost } = asObject(custom)
  const total = rate(total_cost)
  if (total !== undefined) return total
  const input = rate(per_token_in)
  const output = rate(per_token_out)
  if (usage === undefined || (input === undefined && output === undefined)) return undefined
  return usage.input * (input ?? 0) + usage.output * (output ?? 0)
}
