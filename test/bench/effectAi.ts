/**
 * What the gateway costs an application of `@effect/ai`: the same model of `@effect/ai-openai` straight to the server and
 * through our client, and several of them as one model and in a plan. Both sides read the same bytes.
 */
import * as LanguageModel from "@effect/ai/LanguageModel"
import type * as Model from "@effect/ai/Model"
import { OpenAiClient, OpenAiLanguageModel } from "@effect/ai-openai"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { Effect, ExecutionPlan, Layer, type ManagedRuntime, Redacted, Stream } from "effect"
import { AiGateway, GatewayHttpClient, LocalGateway } from "effect-ai-gateway"
import * as GatewayLanguageModel from "effect-ai-gateway/GatewayLanguageModel"

/** An answer that the server gives to requests of OpenAI's Responses API. */
export interface Case {
  readonly body: string
  readonly type: string
  /** How much is written at once; absent: all of it. */
  readonly size?: number
}

const prompt = "Name three cheeses."
const word = " cheese"

const answer = async (stream: boolean, words: number): Promise<string> => {
  const gateway = LocalGateway.make({
    upstreams: {
      openai: LocalGateway.always(
        LocalGateway.text(word.repeat(words), { chunks: Array.from({ length: words }, () => word) })
      )
    }
  })
  const response = await gateway.handle(
    new Request("https://gateway.ai.cloudflare.com/v1/local-account/local-gateway/openai/v1/responses", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: "Bearer sk-benchmark",
        "cf-aig-authorization": "Bearer local-token"
      },
      body: JSON.stringify({ model: "gpt-5-mini", input: prompt, stream })
    })
  )
  if (response.status !== 200) throw new Error(`LocalGateway answered ${response.status}`)
  return response.text()
}

const long = 4000
const short = 200

/** By the name that a request carries as `x-case`. */
export const cases = async (): Promise<Record<string, Case>> => ({
  whole: { type: "application/json", body: await answer(false, 7) },
  reads: { type: "text/event-stream", body: await answer(true, short), size: 256 },
  piece: { type: "text/event-stream", body: await answer(true, long) }
})

type Kind = "whole" | "stream"

type App = ManagedRuntime.ManagedRuntime<LanguageModel.LanguageModel, never>

export interface Measured {
  readonly title: string
  readonly unit: string
  readonly rows: ReadonlyArray<{ readonly name: string; readonly run: () => Promise<unknown> }>
  readonly batch: number
  readonly units: number
  readonly parallel: number
}

const whole = LanguageModel.generateText({ prompt })
const stream = Stream.runFold(LanguageModel.streamText({ prompt }), 0, (count, part) =>
  part.type === "text-delta" ? count + 1 : count
)

export const tables = async (
  origin: string,
  quick: boolean,
  keep: <R, E>(layer: Layer.Layer<R, E>) => ManagedRuntime.ManagedRuntime<R, E>
): Promise<ReadonlyArray<Measured>> => {
  const named = (name: string) => HttpClient.mapRequest(HttpClientRequest.setHeader("x-case", name))
  const client = (name: string, apiUrl?: string) =>
    OpenAiClient.layer({ apiKey: Redacted.make("sk-benchmark"), apiUrl, transformClient: named(name) })
  const gateway = AiGateway.layer({
    accountId: "account",
    gatewayId: "gateway",
    baseUrl: `${origin}/v1`,
    token: Redacted.make("token")
  }).pipe(Layer.provide(FetchHttpClient.layer), Layer.orDie)
  const model = (id: string, name: string) => OpenAiLanguageModel.model(id).pipe(Layer.provide(client(name)))
  const through = (id: string, name: string) =>
    model(id, name).pipe(Layer.provide(GatewayHttpClient.layer()), Layer.provide(gateway))

  const straight = (name: string): App =>
    keep(
      OpenAiLanguageModel.model("gpt-5-mini").pipe(
        Layer.provide(client(name, `${origin}/v1/account/gateway/openai/v1`)),
        Layer.provide(FetchHttpClient.layer)
      )
    )
  const ours = (name: string): App => keep(through("gpt-5-mini", name))
  const asOne = (first: string, name: string): App =>
    keep(
      GatewayLanguageModel.fallback(model(first, name), model("gpt-5-mini", name)).pipe(
        Layer.provide(gateway)
      )
    )
  const planOf = (first: string, name: string) =>
    ExecutionPlan.make({ provide: through(first, name) }, { provide: through("gpt-5-mini", name) })

  const builtPlanOf = async (first: string, name: string) => {
    const context = async (id: string) => (await keep(through(id, name)).runtime()).context
    return ExecutionPlan.make({ provide: await context(first) }, { provide: await context("gpt-5-mini") })
  }

  const text = (app: App) => () => app.runPromise(whole)
  const deltas = (app: App) => () => app.runPromise(stream)
  const checked = async (run: () => Promise<unknown>, expected: number) => {
    const got = await run()
    const count =
      typeof got === "number" ? got : (got as { readonly text: string }).text.split(word).length - 1
    if (count !== expected) throw new Error(`${count} words instead of ${expected}`)
  }

  const pair = (name: string, run: (app: App) => () => Promise<unknown>) => [
    { name: "@effect/ai-openai, straight to the server", run: run(straight(name)) },
    { name: "@effect/ai-openai through GatewayHttpClient", run: run(ours(name)) }
  ]
  const planned = <E>(
    name: string,
    plan: ExecutionPlan.ExecutionPlan<{
      provides: LanguageModel.LanguageModel | Model.ProviderName
      input: unknown
      error: E
      requirements: never
    }>,
    kind: Kind
  ) => ({
    name: `a hand-made ExecutionPlan of the two through GatewayHttpClient, ${name}`,
    run: () =>
      kind === "whole"
        ? Effect.runPromise(Effect.withExecutionPlan(whole, plan))
        : Effect.runPromise(
            Stream.runFold(
              Stream.withExecutionPlan(LanguageModel.streamText({ prompt }), plan, {
                preventFallbackOnPartialStream: true
              }),
              0,
              (count, part) => (part.type === "text-delta" ? count + 1 : count)
            )
          )
  })
  const several = async (first: string, name: string, kind: Kind) => {
    const run = kind === "whole" ? text : deltas
    return [
      { name: "one of the models alone, through GatewayHttpClient", run: run(ours(name)) },
      planned("of layers, which it builds anew", planOf(first, name), kind),
      planned("built once", await builtPlanOf(first, name), kind),
      { name: "GatewayLanguageModel.fallback of the two", run: run(asOne(first, name)) }
    ]
  }

  const tables: ReadonlyArray<Measured & { readonly words: number }> = [
    {
      title: "@effect/ai: one answer",
      unit: "per call",
      rows: pair("whole", text),
      words: 7,
      batch: quick ? 200 : 600,
      units: 1,
      parallel: 16
    },
    {
      title: `@effect/ai: a stream in writes of 256 bytes (${short} deltas)`,
      unit: "per delta",
      rows: pair("reads", deltas),
      words: short,
      batch: quick ? 10 : 30,
      units: short,
      parallel: 4
    },
    {
      title: `@effect/ai: a stream that a cache replays in one piece (${long} deltas)`,
      unit: "per delta",
      rows: pair("piece", deltas),
      words: long,
      batch: quick ? 1 : 3,
      units: long,
      parallel: 1
    },
    ...(
      await Promise.all(
        ["gpt-5-mini", "down"].map(async (first) => {
          const how = first === "down" ? "the first is down" : "both are up"
          return [
            {
              title: `@effect/ai: one answer of two models, ${how}`,
              unit: "per call",
              rows: await several(first, "whole", "whole"),
              words: 7,
              batch: quick ? 100 : 300,
              units: 1,
              parallel: 16
            },
            {
              title: `@effect/ai: a stream of two models, ${how}`,
              unit: "per stream",
              rows: await several(first, "reads", "stream"),
              words: short,
              batch: quick ? 10 : 30,
              units: 1,
              parallel: 4
            }
          ]
        })
      )
    ).flat()
  ]
  for (const [first, step] of [
    ["gpt-5-mini", 0],
    ["down", 1]
  ] as const) {
    const steps: Array<number | undefined> = []
    await asOne(first, "whole").runPromise(
      AiGateway.tapAnswer(whole, ({ gateway }) => Effect.sync(() => void steps.push(gateway.step)))
    )
    if (steps.length !== 1 || steps[0] !== step) throw new Error(`steps ${steps} instead of ${step}`)
  }
  for (const { rows, words } of tables) for (const { run } of rows) await checked(run, words)
  return tables
}
