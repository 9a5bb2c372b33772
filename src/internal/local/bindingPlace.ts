/** The paths of the host `workers-binding.ai`, which `env.AI` asks; recognised on any host. */
import { decoded } from "./pathSegment.js"

export type BindingPlace =
  | { readonly _tag: "Universal"; readonly gateway: string }
  | { readonly _tag: "Run" }
  | {
      readonly _tag: "Resume"
      readonly gateway: string
      readonly runId: string
      /** As it was given. */
      readonly from: string | null
    }
  | { readonly _tag: "Url"; readonly gateway: string; readonly provider: string }
  | { readonly _tag: "Log"; readonly gateway: string; readonly logId: string }

const run = /^(?:\/ai-gateway)?\/run$/
const universal = /^\/ai-gateway\/universal\/run\/([^/]+)\/?$/
const ofGateway = /^\/ai-gateway\/gateways\/([^/]+)\/(run|url|logs)\/([^/]+)(\/resume)?\/?$/

export const bindingPlaceOf = (url: URL): BindingPlace | undefined => {
  if (run.test(url.pathname)) return { _tag: "Run" }
  const walked = universal.exec(url.pathname)?.[1]
  if (walked !== undefined) return { _tag: "Universal", gateway: decoded(walked) }
  const [, id = "", what, last = "", resume] = ofGateway.exec(url.pathname) ?? []
  const gateway = decoded(id)
  if (what === "run" && resume !== undefined)
    return { _tag: "Resume", gateway, runId: decoded(last), from: url.searchParams.get("from") }
  if (resume !== undefined) return undefined
  if (what === "url") return { _tag: "Url", gateway, provider: decoded(last) }
  return what === "logs" ? { _tag: "Log", gateway, logId: decoded(last) } : undefined
}
