/**
 * Images and files in a question: bytes, a URL, a PDF. A model that cannot take them is passed over before anything is sent.
 * Run: `npx tsx examples/image-input.ts`
 */
import assert from "node:assert/strict"
import { Console, Effect, Layer, Logger, LogLevel } from "effect"
import { Anthropic, ChatModel, LocalGateway, Message, OpenAi, WorkersAi } from "effect-ai-gateway"

// One pixel, and a document without pages. Of a real program they would be `yield* fileSystem.readFile("photo.png")`.
const png = new Uint8Array(
  Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "base64"
  )
)
const pdf = new TextEncoder().encode(
  "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
)

const photo = Message.image({ data: png, mediaType: "image/png" })
const drawing = Message.image("https://example.com/drawing.png", { detail: "low" })
const contract = Message.file({ data: pdf, mediaType: "application/pdf" }, { filename: "contract.pdf" })
const report = Message.file("https://example.com/report.pdf")

const ask = (...parts: ReadonlyArray<Message.UserPart>) => [
  Message.user([Message.textPart("What do you see?"), ...parts])
]

// A cheap model for text, one that sees but reads files only by their bytes, and one that takes all of these.
const model = ChatModel.firstSuccessOf([
  WorkersAi.model("@cf/meta/llama-3.1-8b-instruct"),
  OpenAi.model("gpt-5-mini"),
  Anthropic.model("claude-haiku-4-5", { maxTokens: 1024 })
])

const program = Effect.gen(function* () {
  const gateway = yield* LocalGateway.Gateway
  /** Asks, and tells who was passed over and why, who answered, and who was sent anything at all. */
  const asked = (what: string, messages: ReadonlyArray<Message.Message>) =>
    Effect.gen(function* () {
      const before = gateway.upstreamRequests().length
      const { text, provider, attempts } = yield* model.chat(messages)
      const left = attempts.map(({ provider, error }) =>
        error._tag === "Unsupported" ? `${provider} (${error.feature})` : `${provider} (${error._tag})`
      )
      yield* Console.log(`${what}: ${provider} says ${JSON.stringify(text)}`)
      if (left.length > 0) yield* Console.log(`  not sent to ${left.join(", ")}`)
      const sent = gateway
        .upstreamRequests()
        .slice(before)
        .map(({ provider }) => provider)
      return { text, left, sent }
    })

  const words = yield* asked("text", [Message.user("What do you see?")])
  assert.deepEqual(words.sent, ["workers-ai"])

  const images = yield* asked("two images", ask(photo, drawing))
  assert.deepEqual(images.sent, ["openai"])
  assert.deepEqual(images.left, ["workers-ai (images)"])
  assert.match(images.text, /2 images/)

  const bytes = yield* asked("a PDF's bytes", ask(contract))
  assert.deepEqual(bytes.sent, ["openai"])
  assert.deepEqual(bytes.left, ["workers-ai (files)"])
  assert.match(bytes.text, /1 file/)

  const url = yield* asked("a PDF's URL", ask(report))
  assert.deepEqual(url.sent, ["anthropic"])
  assert.deepEqual(url.left, ["workers-ai (files)", "openai (files by URL)"])

  // A program can ask beforehand.
  const { legs = [] } = model.metadata
  assert.deepEqual(
    legs.map(({ supports }) => supports.includes("images")),
    [false, true, true]
  )
})

await program.pipe(
  Effect.provide(
    Layer.mergeAll(WorkersAi.layer(), OpenAi.layer(), Anthropic.layer(), LocalGateway.layerTest())
  ),
  // A leg that is left is a warning in the log: not here.
  Logger.withMinimumLogLevel(LogLevel.Error),
  Effect.runPromise
)
