import { fork } from "node:child_process"
import { once } from "node:events"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Effect, Layer, ManagedRuntime, Redacted, Duration } from "effect"
import { AiGateway, ChatModel, OpenAi } from "effect-ai-gateway"
import * as Peers from "/work/main/test/bench/peers.js"
const child = fork("/work/main/test/bench/server.mjs", { stdio: ["ignore", "inherit", "inherit", "ipc"] })
const [{ port }] = (await once(child, "message")) as [{ port: number }]
const origin = `http://127.0.0.1:${port}`
const which = process.argv[2], mode = process.argv[3]
const client = which === "fetch" ? FetchHttpClient.layer : NodeHttpClient.layerUndici
const full = ManagedRuntime.make(OpenAi.layer({ apiKey: Redacted.make("sk-benchmark"), headers: { "x-case": "whole" } }).pipe(
  Layer.merge(AiGateway.layer({ accountId: "account", gatewayId: "gateway", baseUrl: `${origin}/v1`, token: Redacted.make("token") })),
  Layer.provideMerge(client)))
const model = OpenAi.model("gpt-4.1-mini")
const off = model.pipe(ChatModel.withTimeouts({ total: Duration.infinity }))
const question = { messages: [{ role: "system", content: "You are brief." }, { role: "user", content: "Name three cheeses." }], temperature: 0.8 } as const
const url = `${origin}/v1/account/gateway/openai/chat/completions`
const run = mode === "off" ? () => full.runPromise(Effect.withTracerEnabled(off.chat(question), false)) : mode === "spans" ? () => full.runPromise(off.chat(question)) : mode === "clocks" ? () => full.runPromise(Effect.withTracerEnabled(model.chat(question), false)) : mode === "hand" ? () => full.runPromise(Effect.withTracerEnabled(Peers.handCall(url), false)) : mode === "handon" ? () => full.runPromise(Peers.handCall(url)) : mode === "bare" ? () => Peers.bareCall(url) : () => full.runPromise(model.chat(question))
const go = async (n: number) => { let left = n; await Promise.all(Array.from({ length: 64 }, async () => { while (left-- > 0) await run() })) }
await go(2000)
let best = Infinity
for (let i = 0; i < 8; i++) { const b = process.cpuUsage(); await go(2000); const { user, system } = process.cpuUsage(b); best = Math.min(best, (user + system) / 2000) }
console.log(which, mode, best.toFixed(1), "µs")
await full.dispose(); child.disconnect()
