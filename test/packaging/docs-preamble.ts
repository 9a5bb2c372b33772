// What the snippets of README.md and of JSDoc lean on and do not declare, with its true types; see docs.mjs.
import { createOpenAI } from "@ai-sdk/openai"
import * as LanguageModel from "@effect/ai/LanguageModel"
import { AnthropicClient, AnthropicLanguageModel } from "@effect/ai-anthropic"
import { OpenAiClient, OpenAiLanguageModel } from "@effect/ai-openai"
import { it } from "@effect/vitest"
import { GoogleGenAI } from "@google/genai"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as ChatModel from "effect-ai-gateway/ChatModel"
import OpenAI from "openai"

export {
  AnthropicClient,
  AnthropicLanguageModel,
  createOpenAI,
  GoogleGenAI,
  it,
  LanguageModel,
  OpenAI,
  OpenAiClient,
  OpenAiLanguageModel
}

export declare const png: Uint8Array
export declare const pdf: Uint8Array
export declare const accountId: string
export declare const gatewayId: string
export declare const token: Redacted.Redacted
export declare const id: string
export declare const secret: Redacted.Redacted
export declare const apiKey: Redacted.Redacted
export declare const other: Redacted.Redacted
export declare const key: string
export declare const tenantKey: Redacted.Redacted
export declare const otherAccount: Redacted.Redacted
export declare const researchKey: Redacted.Redacted
export declare const runId: string
export declare const from: number
export declare const save: (runId: string, from: number) => Effect.Effect<void>
export declare const answer: Effect.Effect.Success<ReturnType<typeof ChatModel.chat>>
