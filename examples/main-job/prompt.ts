/** What was typed behind `npm start --`. */
import { Either } from "effect"

export const defaultPrompt = "In one sentence: why ask more than one model?"

export const usage = `Asks a language model through Cloudflare AI Gateway, with fallback, and prints what happens.

  npm start                        the default prompt
  npm start -- "your own prompt"   several words need no quotes
  npm start -- --help

Without Cloudflare settings it runs against LocalGateway, on a free port of 127.0.0.1: no account, no network.
With these three it calls your own gateway:

  CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_GATEWAY_ID
  CLOUDFLARE_API_TOKEN             a token with the permission "AI Gateway Run"
  CLOUDFLARE_AI_GATEWAY_BASE_URL   optional: another address than https://gateway.ai.cloudflare.com/v1

and needs a key for at least one provider. The providers that have one are asked in this order:

  OPENAI_API_KEY, ANTHROPIC_API_KEY, GOOGLE_API_KEY
  CLOUDFLARE_WORKERS_AI_TOKEN      or WORKERS_AI=1, if CLOUDFLARE_API_TOKEN may run Workers AI too
  BYOK=1 or UNIFIED_BILLING=1      OpenAI, Anthropic and Google need no key here: your gateway has them, or pays`

export type Asked = { readonly _tag: "Help" } | { readonly _tag: "Prompt"; readonly prompt: string }

export const parse = (args: ReadonlyArray<string>): Either.Either<Asked, string> => {
  const [first, ...others] = args
  if (first === undefined) return Either.right({ _tag: "Prompt", prompt: defaultPrompt })
  if (first === "--help" || first === "-h") return Either.right({ _tag: "Help" })
  if (first.startsWith("--") && first !== "--") {
    return Either.left(`Unknown option ${first}. See: npm start -- --help`)
  }
  const prompt = (first === "--" ? others : args).join(" ").trim()
  return prompt === "" ? Either.left("The prompt is empty.") : Either.right({ _tag: "Prompt", prompt })
}
