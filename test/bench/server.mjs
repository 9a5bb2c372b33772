// The upstream of the benchmark, in a process of its own so that its CPU time is not counted. It answers what OpenAI would,
// with as little work as possible.
import { createServer } from "node:http"

const usage = { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 }
const whole = JSON.stringify({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "gpt-4.1-mini",
  choices: [
    {
      index: 0,
      finish_reason: "stop",
      message: { role: "assistant", content: "Brie, Gouda and Feta are cheeses." }
    }
  ],
  usage
})
const chunk = (delta, finish) =>
  `data: ${JSON.stringify({
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1,
    model: "gpt-4.1-mini",
    system_fingerprint: "fp_44709d6fcb",
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish ?? null }]
  })}\n\n`
const event = chunk({ content: " cheese" })
const end = `${chunk({}, "stop")}data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`
const block = event.repeat(64)
const argument = (text) => chunk({ tool_calls: [{ index: 0, function: { arguments: text } }] })
const opening = chunk({
  role: "assistant",
  content: null,
  tool_calls: [{ index: 0, id: "call_1", type: "function", function: { name: "order", arguments: "" } }]
})
const fragment = argument(" cheese")

/** One tool call whose arguments come in `count` pieces: `{"note":" cheese cheese …"}`. */
const toolStream = (res, count) => {
  res.writeHead(200, headers)
  res.write(`${opening}${argument('{"note":"')}`)
  let sent = 1
  const more = () => {
    for (;;) {
      const size = Math.min(64, count - 1 - sent)
      if (size <= 0) return res.end(`${argument('"}')}${end.replace('"stop"', '"tool_calls"')}`)
      sent += size
      if (!res.write(fragment.repeat(size))) return res.once("drain", more)
    }
  }
  more()
}

const headers = {
  "content-type": "text/event-stream",
  "cf-aig-log-id": "01J0000000000000000000000",
  "cf-aig-cache-status": "MISS"
}

const stream = (res, count, paced) => {
  res.writeHead(200, headers)
  let sent = 0
  const more = () => {
    for (;;) {
      if (sent >= count) return res.end(end)
      const size = paced ? 1 : Math.min(64, count - sent)
      sent += size
      const open = res.write(size === 64 ? block : event.repeat(size))
      if (paced) return setTimeout(more, 1)
      if (!open) return res.once("drain", more)
    }
  }
  more()
}

/** Answers of OpenAI's Responses API, which the benchmark sends. */
let cases = {}
process.on("message", (message) => {
  cases = message.cases
  process.send?.({ known: Object.keys(cases) })
})

const responses = (res, name, more = {}) => {
  if (!Object.hasOwn(cases, name)) return res.writeHead(404).end()
  const { body, type, size = body.length } = cases[name]
  res.writeHead(200, { ...headers, "content-type": type, ...more })
  let at = 0
  const next = () => {
    if (at >= body.length) return res.end()
    const open = res.write(body.slice(at, at + size))
    at += size
    if (open) setImmediate(next)
    else res.once("drain", next)
  }
  next()
}

const server = createServer((req, res) => {
  // A model of this name is down; the benchmark's client pays nothing for being answered so.
  let down = false
  const parts = []
  req.on("data", (bytes) => {
    parts.push(bytes)
    down ||= bytes.includes('"model":"down"')
  })
  req.on("end", () => {
    const url = new URL(req.url, "http://localhost")
    const model = url.searchParams.get("case") ?? req.headers["x-case"] ?? ""
    if (req.url === "/v1/account/gateway") {
      const [{ endpoint, headers }] = JSON.parse(Buffer.concat(parts).toString())
      // Other clients of the universal endpoint ask for chat completions.
      if (endpoint.endsWith("responses"))
        return responses(res, headers["x-case"], { "cf-aig-step": down ? "1" : "0" })
    }
    if (down) {
      res.writeHead(503, { "content-type": "application/json", "x-should-retry": "false" })
      return res.end('{"error":{"message":"The server is overloaded.","type":"server_error","code":null}}')
    }
    if (url.pathname.endsWith("/responses")) return responses(res, model)
    const [kind, count] = model.split("-")
    if (kind === "tools") return toolStream(res, Number(count))
    if (kind === "fast" || kind === "paced") return stream(res, Number(count), kind === "paced")
    res.writeHead(200, { "content-type": "application/json", "cf-aig-log-id": "01J0000000000000000000000" })
    res.end(whole)
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, "127.0.0.1", () => process.send?.({ port: server.address().port }))
process.on("disconnect", () => process.exit(0))
