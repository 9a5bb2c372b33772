/** Every model constructor, whole and streamed, through Cloudflare's binding: as over HTTPS, for caller and provider. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import { ChatModel, type ChatResponse, LocalGateway, Replicate, Tool } from "effect-ai-gateway"
import { rows } from "../vocabularyModels.js"
import type { Records, Settings } from "./control.js"
import * as Gateway from "./gateway.js"
import { type Needs, onBoth, throughBinding } from "./transports.js"

const { always, text, toolCalls } = LocalGateway

/** The account's API has a transport of its own, and Replicate must be asked again. */
const models = Object.entries(rows).flatMap(([name, { model, lacks }]) =>
  /^(AccountApi|Replicate)\./.test(name)
    ? []
    : [{ name, model: model as ChatModel.With<Needs>, hasTools: !lacks.includes("tools") }]
)

const slugs = [...new Set(models.map(({ model }) => model.metadata.provider)), "openai", "anthropic"]

const behind = (upstream: LocalGateway.Upstream): Settings => ({
  routes: { support: ["openai/gpt-4.1-mini"] },
  autoRouterModels: ["openai/gpt-4.1-mini"],
  upstreams: Object.fromEntries(slugs.map((slug) => [slug, upstream]))
})

/** What a caller sees of an answer, without what is made up for each call. */
const seen = ({ text, toolCalls, finishReason, usage, provider, model }: ChatResponse.ChatResponse) => ({
  text,
  calls: toolCalls.map(({ name, arguments: args }) => [name, JSON.parse(args)]),
  finishReason,
  usage,
  provider,
  model
})

/** What the provider was sent, as the gateway passes it on; times and what a client says of itself aside. */
const passedOn = ({ upstreamRequests }: Records) =>
  upstreamRequests.map(({ provider, endpoint, method, headers, body }) => ({
    provider,
    endpoint,
    method,
    body,
    headers: Object.fromEntries(
      Object.entries(headers).filter(
        ([name]) => !/^(host|content-length|user-agent|accept(-.*)?|connection|x-amz-date)$/.test(name)
      )
    )
  }))

const Weather = Tool.make("get_weather", { parameters: Schema.Struct({ city: Schema.String }) })
const asked = { prompt: "Well?", tools: [Weather] }
const calls = [
  ["get_weather", { city: "Oslo" }],
  ["get_weather", { city: "Bonn" }]
]
const twoCalls = toolCalls(calls.map(([name, args]) => ({ name: String(name), args })))

const hello = always(text("Good morning, all.", { usage: { input: 9, output: 3 } }))

it("are all that there are", () => assert.isAbove(models.length, 30))

for (const { name, model, hasTools } of models) {
  describe(name, () => {
    it.effect("answers", () =>
      Effect.gen(function* () {
        const { result, https, binding } = yield* onBoth(behind(hello), Effect.map(model.chat("hello"), seen))
        assert.strictEqual(result.text, "Good morning, all.")
        assert.deepInclude(result.usage, { input: 9, output: 3, total: 12 })
        assert.lengthOf(binding.upstreamRequests, 1)
        assert.deepStrictEqual(passedOn(binding), passedOn(https))
      })
    )

    it.effect("streams", () =>
      Effect.gen(function* () {
        const pieces = Stream.runCollect(model.streamComplete("hello"))
        const { result, https, binding } = yield* onBoth(behind(hello), pieces)
        assert.deepStrictEqual([...result], ["Good", " morning,", " all."])
        assert.deepStrictEqual(passedOn(binding), passedOn(https))
      })
    )

    it.effect("streams in chunks that cut events and letters", () =>
      throughBinding(
        behind(always(LocalGateway.rechunk(text("Grüße, 灵感 🎈!"), 3))),
        Effect.gen(function* () {
          const answer = yield* ChatModel.collect(model.streamChat("hello"))
          assert.strictEqual(answer.text, "Grüße, 灵感 🎈!")
        })
      )
    )

    if (hasTools) {
      it.effect("calls tools, whole and streamed", () =>
        Effect.gen(function* () {
          const { result } = yield* onBoth(
            behind(always(twoCalls)),
            Effect.all([
              Effect.map(model.chat(asked), seen),
              Effect.map(ChatModel.collect(model.streamChat(asked)), seen)
            ])
          )
          for (const answer of result) assert.deepStrictEqual<unknown>(answer.calls, calls)
        })
      )
    }
  })
}

describe("Replicate.model", () => {
  it.effect("cannot be asked again through the binding: it is Unsupported before anything is sent", () =>
    throughBinding(
      {},
      Effect.gen(function* () {
        const error = yield* Effect.flip(Replicate.model("meta/meta-llama-3-70b-instruct").chat("hello"))
        assert.strictEqual(error._tag, "Unsupported")
        assert.lengthOf((yield* Gateway.records).requests, 0)
      })
    )
  )
})
