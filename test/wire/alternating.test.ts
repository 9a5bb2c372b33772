import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { Message } from "effect-ai-gateway"
import { alternating } from "../../src/internal/wire/alternating.js"

describe("a conversation for a vendor that demands turns", () => {
  it("two messages of the user in a row are one, with both texts", () => {
    assert.deepStrictEqual(alternating([Message.user("Hello."), Message.user("Who are you?")]), [
      Message.user("Hello.\n\nWho are you?")
    ])
  })

  it("text and an image in a row are parts of one message", () => {
    const image = Message.image("https://example.com/cat.png")
    assert.deepStrictEqual(alternating([Message.user("Look:"), Message.user([image])]), [
      Message.user([Message.textPart("Look:"), image])
    ])
  })

  it("two answers in a row are one", () => {
    assert.deepStrictEqual(
      alternating([Message.user("Hi"), Message.assistant("Yes."), Message.assistant("And no.")]),
      [Message.user("Hi"), Message.assistant("Yes.\n\nAnd no.")]
    )
  })

  it("whatever the order, nobody speaks twice in a row, and no text is lost", () => {
    const message = FastCheck.oneof(
      FastCheck.string().map(Message.user),
      FastCheck.string().map(Message.assistant),
      FastCheck.string().map(Message.system)
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(message), (messages) => {
        const turns = alternating(messages)
        for (const [index, { role }] of turns.entries())
          if (role !== "system") assert.notStrictEqual(role, turns[index + 1]?.role)
        const said = (all: ReadonlyArray<Message.Message>) => all.map(({ content }) => content).join("\n\n")
        assert.strictEqual(said(turns), said(messages))
      })
    )
  })
})
