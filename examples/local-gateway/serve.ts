/** LocalGateway on a loopback port, for any client in any language, until Ctrl-C: `npm run gateway`. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Config, Console, Effect, Exit } from "effect"
import { LocalGateway } from "effect-ai-gateway"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"

const port = Config.port("PORT").pipe(Config.withDefault(0))

const help = (url: string) => `LocalGateway listens at ${url}, until Ctrl-C.

  account   local-account
  gateway   local-gateway
  token     local-token, as cf-aig-authorization: Bearer local-token

  openai SDK       baseURL: "${url}/v1/local-account/local-gateway/openai"
  anthropic SDK    baseURL: "${url}/v1/local-account/local-gateway/anthropic"
  compat           baseURL: "${url}/v1/local-account/local-gateway/compat"    (model: "openai/gpt-5-mini")
  auto router      the same                                                   (model: "cloudflare/auto")
  universal        POST      ${url}/v1/local-account/local-gateway
  account's API    baseURL: "${url}/client/v4/accounts/local-account/ai/v1"    (authorization: Bearer local-token,
                                                                              model: "anthropic/claude-haiku-4.5")
  this library     baseUrl: "${url}/v1"

  curl ${url}/v1/local-account/local-gateway/compat/chat/completions \\
    -H 'cf-aig-authorization: Bearer local-token' -H 'content-type: application/json' \\
    -d '{"model":"openai/gpt-5-mini","messages":[{"role":"user","content":"hello"}]}'

Any key of a provider will do, and no key. PORT chooses the port. Requests are listed below.
`

const program = Effect.gen(function* () {
  const gateway = LocalGateway.make({
    onRequest: ({ method, path }) => console.log(`${method} ${path}`)
  })
  const { url } = yield* LocalGatewayServer.start(gateway, { port: yield* port })
  yield* Console.log(help(url))
  return yield* Effect.never
}).pipe(Effect.scoped)

program.pipe(
  Effect.tapErrorCause((cause) =>
    Cause.isInterruptedOnly(cause)
      ? Effect.void
      : Console.error(
          Cause.prettyErrors(cause)
            .map(({ message }) => message)
            .join("\n")
        )
  ),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    disablePrettyLogger: true,
    // Ctrl-C is how it is meant to end.
    teardown: (exit, end) => end(Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause) ? 0 : 1)
  })
)
