/**
 * Values out of text: an invoice as a Schema says it is, decoded; a first model whose answer does not fit, so that the
 * second is asked; and the value while it is written. Run: `npx tsx examples/structured-extraction.ts`
 */
import assert from "node:assert/strict"
import { Console, Effect, Layer, Logger, LogLevel, Schema, Stream } from "effect"
import { Anthropic, ChatModel, LocalGateway, OpenAi } from "effect-ai-gateway"

const Line = Schema.Struct({
  text: Schema.String,
  quantity: Schema.Int.pipe(Schema.positive()),
  cents: Schema.Int
})

const Invoice = Schema.Struct({
  number: Schema.String,
  /** Text for the model, a `Date` for the program. */
  due: Schema.Date,
  customer: Schema.Struct({ name: Schema.String, country: Schema.Literal("NO", "SE", "DK") }),
  lines: Schema.NonEmptyArray(Line),
  /** Not every invoice has one. */
  discount: Schema.NullOr(Schema.Number)
}).annotations({ identifier: "Invoice", description: "What the invoice says, as it says it." })

const text = `INVOICE 2027-17. Ola Nordmann AS, Oslo, Norway.
  3 x Brie, 45.00 each. 1 x Gouda, 89.90. To be paid by 1 May 2027.`

const prompt = `What does this invoice say?\n\n${text}`

// --- what the local models answer ---------------------------------------------------------------------------------------

const right = {
  number: "2027-17",
  due: "2027-05-01T00:00:00.000Z",
  customer: { name: "Ola Nordmann AS", country: "NO" },
  lines: [
    { text: "Brie", quantity: 3, cents: 4500 },
    { text: "Gouda", quantity: 1, cents: 8990 }
  ],
  discount: null
}
// JSON, and nearly right: money as text, which the Schema does not allow.
const wrong = { ...right, lines: [right.lines[0], { text: "Gouda", quantity: 1, cents: "89.90" }] }

const upstreams = {
  openai: LocalGateway.always(LocalGateway.value(wrong)),
  // In pieces of 20 characters, as a model that writes.
  anthropic: LocalGateway.always(LocalGateway.value(right, { chunks: 20 }))
}

// --- the program ----------------------------------------------------------------------------------------------------------

const gpt = OpenAi.model("gpt-5-mini")
const claude = Anthropic.model("claude-haiku-4-5", { maxTokens: 1024 })

const program = Effect.gen(function* () {
  // 1. A value. The first answer does not fit, which the list finds out before it accepts it.
  const answer = yield* ChatModel.firstSuccessOf([gpt, claude]).chatObject({ schema: Invoice, prompt })
  for (const { provider, error } of answer.attempts) {
    yield* Console.log(`${provider}: ${error.message}`)
    assert.ok(error._tag === "InvalidOutput")
    assert.equal(error.path, "lines[1].cents")
    assert.deepEqual(JSON.parse(error.text), wrong)
  }
  const { number, due, customer, lines } = answer.object
  const total = lines.reduce((sum, line) => sum + line.quantity * line.cents, 0)
  yield* Console.log(
    `${answer.provider}: ${number}, ${customer.name}, ${(total / 100).toFixed(2)} kroner by ${due.toISOString().slice(0, 10)}\n`
  )
  assert.equal(answer.provider, "anthropic")
  assert.equal(answer.attempts.length, 1)
  assert.equal(total, 22_490)
  assert.ok(due instanceof Date)

  // 2. The same while it is written: for a screen, not yet checked. The last event is the decoded value.
  let partials = 0
  const last = yield* claude.streamObject({ schema: Invoice, prompt }).pipe(
    Stream.tap((event) => {
      if (event._tag === "Object") return Console.log(`whole: ${event.object.lines.length} lines`)
      partials++
      const { customer, lines = [] } = event.value
      return Console.log(`${customer?.name ?? "…"}: ${lines.map((line) => line.text ?? "…").join(", ")}`)
    }),
    Stream.runLast
  )
  assert.ok(partials > 3)
  assert.ok(last._tag === "Some" && last.value._tag === "Object")
  assert.deepEqual(last.value.object, answer.object)

  // 3. Alone, the first model's answer is an error that says where and what.
  const failed = yield* Effect.flip(gpt.chatObject({ schema: Invoice, prompt }))
  assert.equal(failed._tag, "InvalidOutput")
  yield* Console.log(`\nalone: ${failed._tag}`)
})

await program.pipe(
  Effect.provide(Layer.mergeAll(OpenAi.layer(), Anthropic.layer(), LocalGateway.layerTest({ upstreams }))),
  // A leg that is left is a warning in the log: not here.
  Logger.withMinimumLogLevel(LogLevel.Error),
  Effect.runPromise
)
