/** One `@effect/ai` language model of several: one universal request, which the winner's own package decodes. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { LocalGateway } from "effect-ai-gateway"
import * as GatewayLanguageModel from "effect-ai-gateway/GatewayLanguageModel"
import * as Programs from "./effectAiPrograms.js"
import * as Recorded from "./recorded.js"

const { openAi, anthropic, google, amazonBedrock, openRouter } = Programs

const Five = GatewayLanguageModel.fallback(
  openAi.model,
  anthropic.model,
  google.model,
  amazonBedrock.model,
  openRouter.model
)

/** All providers before the winner are down. */
const wonBy = (winner: number, reply: LocalGateway.Reply) =>
  LocalGateway.make({
    upstreams: Object.fromEntries(
      Programs.packages
        .slice(0, winner + 1)
        .map(({ slug }, index) => [
          slug,
          LocalGateway.script([index === winner ? reply : LocalGateway.status(503)])
        ])
    )
  })

for (const route of ["in process", "FetchHttpClient over a socket", "a Worker's binding"]) {
  const toGateway = Programs.routes[route] ?? Programs.inProcess
  describe(`a fallback of five providers' models, ${route}`, () => {
    for (const [winner, { slug }] of Programs.packages.entries()) {
      for (const operation of Recorded.operations) {
        const program = Programs.programs[operation]

        it.live(`${operation}: ${slug} answers, behind ${winner} that are down`, () =>
          Effect.gen(function* () {
            const gateway = wonBy(winner, program.reply)
            const answer = yield* program.run.pipe(Effect.provide(Five), Effect.provide(toGateway(gateway)))
            assert.deepStrictEqual(answer, program.gives)
            assert.lengthOf(gateway.requests(), 1)
            assert.deepStrictEqual(
              gateway.upstreamRequests().map(({ provider, endpoint }) => ({ provider, endpoint })),
              Programs.packages.slice(0, winner + 1).map(({ slug, endpoints }) => ({
                provider: slug,
                endpoint: endpoints[operation]
              }))
            )
          })
        )
      }
    }
  })
}
