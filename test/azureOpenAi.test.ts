/** Azure OpenAI: deployments with a version of the API, the current `openai/v1` surface, and names that are wrong. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Schedule, Stream } from "effect"
import { AzureOpenAi, ChatEvent, ChatModel, LocalGateway, OpenAi } from "effect-ai-gateway"

const { always, inBandError, raw } = LocalGateway

const once = ChatModel.retry(Schedule.recurs(0))
const azure = { resource: "my-resource", apiVersion: "2024-10-21" }
const deployment = AzureOpenAi.model("my-deployment", azure).pipe(once)
const current = AzureOpenAi.model("my-deployment", { resource: "my-resource" }).pipe(once)

const withGateway = (options: LocalGateway.Options = {}) =>
  Effect.provide(
    Layer.mergeAll(
      AzureOpenAi.layer({ apiKey: Redacted.make("azure-key") }),
      OpenAi.layer({ apiKey: Redacted.make("sk-openai") }),
      LocalGateway.layerTest(options)
    )
  )

const requests = Effect.map(LocalGateway.Gateway, (gateway) => gateway.requests())

const answered = JSON.stringify({
  model: "gpt-4.1",
  choices: [{ index: 0, message: { role: "assistant", content: "Hello." }, finish_reason: "stop" }]
})

describe("where a request for Azure goes", () => {
  it.effect("19. to the resource and the deployment, with the version of the API in the query", () =>
    Effect.gen(function* () {
      yield* deployment.chat("Hi")
      const [request] = yield* requests
      const url = new URL(request?.url ?? "")
      assert.strictEqual(
        url.pathname,
        "/v1/local-account/local-gateway/azure-openai/my-resource/my-deployment/chat/completions"
      )
      assert.strictEqual(url.search, "?api-version=2024-10-21")
      assert.strictEqual(request?.headers["api-key"], "azure-key")
      assert.notProperty(request?.headers, "authorization")
      assert.notProperty(request?.body, "model")
    }).pipe(withGateway())
  )

  it.effect("to the resource's openai/v1 surface without a version, the deployment in the body", () =>
    Effect.gen(function* () {
      const answer = yield* current.chat("Hi")
      assert.strictEqual(answer.text, "Hello.")
      assert.strictEqual(answer.provider, "azure-openai")
      const [request] = yield* requests
      assert.isTrue(
        request?.url.endsWith("/azure-openai/my-resource/openai/v1/chat/completions"),
        request?.url
      )
      assert.strictEqual(request?.headers["api-key"], "azure-key")
      assert.deepInclude(request?.body, { model: "my-deployment" })
    }).pipe(withGateway({ upstreams: { "azure-openai": always(raw({ body: answered })) } }))
  )

  it.effect("a version with characters of a query stays one value", () =>
    Effect.gen(function* () {
      yield* AzureOpenAi.model("d", { resource: "r", apiVersion: "2024&x=1#y" }).chat("Hi")
      const [request] = yield* requests
      const url = new URL(request?.url ?? "")
      assert.deepStrictEqual([...url.searchParams], [["api-version", "2024&x=1#y"]])
    }).pipe(withGateway())
  )

  it.effect("a second deployment of the same list has its own URL", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([
        AzureOpenAi.model("one-does-not-exist", azure),
        AzureOpenAi.model("two", { ...azure, resource: "other" })
      ])
      yield* list.chat("Hi")
      assert.deepStrictEqual(
        (yield* requests).map(({ url }) => url.replace(/.*azure-openai\//, "").replace(/\/chat.*/, "")),
        ["my-resource/one-does-not-exist", "other/two"]
      )
    }).pipe(withGateway())
  )

  it.effect("26. it is azure-openai and never openai, and neither sees the other's key", () =>
    Effect.gen(function* () {
      assert.strictEqual(deployment.metadata.provider, "azure-openai")
      yield* ChatModel.firstSuccessOf([
        AzureOpenAi.model("does-not-exist", azure),
        OpenAi.model("gpt-4.1")
      ]).chat("Hi")
      const [first, second] = (yield* requests).map(({ headers }) => JSON.stringify(headers))
      assert.include(first, "azure-key")
      assert.notInclude(first, "sk-openai")
      assert.include(second, "sk-openai")
      assert.notInclude(second, "azure-key")
    }).pipe(withGateway())
  )
})

describe("20. without a resource or a deployment nothing is sent", () => {
  const wrong = [
    ["no resource", "d", { ...azure, resource: "" }, "resource"],
    ["a resource that is a URL", "d", { ...azure, resource: "https://r.openai.azure.com" }, "resource"],
    ["a resource that is a path", "d", { ...azure, resource: "r/d" }, "resource"],
    ["a resource of dots", "d", { ...azure, resource: ".." }, "resource"],
    ["no deployment", "", azure, "model"],
    ["a deployment that is a path", "a/b", azure, "model"],
    ["a deployment of dots", "..", azure, "model"],
    ["no deployment for openai/v1", "", { resource: "r" }, "model"],
    ["an empty version", "d", { ...azure, apiVersion: "" }, "apiVersion"]
  ] as const
  for (const [what, name, options, field] of wrong) {
    it.effect(`${what} is InvalidRequest of every call, and names ${field}`, () =>
      Effect.gen(function* () {
        const model = AzureOpenAi.model(name, options)
        for (const error of [
          yield* Effect.flip(model.chat("Hi")),
          yield* Effect.flip(Stream.runDrain(model.streamChat("Hi"))),
          yield* Effect.flip(model.complete("Hi")),
          yield* Effect.flip(model.encode("Hi", { stream: false }))
        ]) {
          assert.deepInclude(error, { _tag: "InvalidRequest", field, provider: "azure-openai" })
        }
        assert.deepStrictEqual(yield* requests, [])
      }).pipe(withGateway())
    )
  }
})

describe("what Azure's filter does", () => {
  it.effect("a prompt that it blocks under a status of 200 is ContentBlocked", () =>
    Effect.gen(function* () {
      for (const error of [
        yield* Effect.flip(deployment.chat("Hi")),
        yield* Effect.flip(Stream.runDrain(deployment.streamChat("Hi")))
      ])
        assert.deepInclude(error, { _tag: "ContentBlocked", stage: "prompt", provider: "azure-openai" })
    }).pipe(withGateway({ upstreams: { "azure-openai": always(inBandError("azure-prompt")) } }))
  )

  it.effect("an answer that it blocks has no message, and the finish reason content-filter", () =>
    Effect.gen(function* () {
      for (const answer of [
        yield* deployment.chat("Hi"),
        ChatEvent.fold(yield* Stream.runCollect(deployment.streamChat("Hi")))
      ]) {
        assert.strictEqual(answer.finishReason, "content-filter")
        assert.strictEqual(answer.text, "")
      }
    }).pipe(withGateway({ upstreams: { "azure-openai": always(inBandError("azure-response")) } }))
  )

  it.effect("a code that is a number in text is read as the status that it is", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(deployment.chat("Hi"))
      assert.deepInclude(error, { _tag: "Unauthorized", source: "provider" })
    }).pipe(
      withGateway({
        upstreams: {
          "azure-openai": always(
            raw({ status: 401, body: JSON.stringify({ error: { code: "401", message: "Access denied" } }) })
          )
        }
      })
    )
  )
})
