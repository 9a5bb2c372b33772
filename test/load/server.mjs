// The upstream of `npm run load`, in a process of its own, so that the client's sockets and heap are the client's alone. It
// answers as OpenAI would; the model's name says how, and the question is what it repeats.
import { createServer } from "node:http"

const frame = (delta, finish = null) =>
  `data: ${JSON.stringify({ model: "m", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
const usage = `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } })}\n\n`

/** How many answers are being given, and the most there ever were at once. */
let answering = 0
let most = 0
let requests = 0
let echoes = 0

const echo = (res, id) => {
  let left = 20
  const more = () => {
    if (left-- > 0) {
      const half = Math.floor(id.length / 2)
      res.write(frame({ content: id.slice(0, half) }))
      res.write(frame({ content: `${id.slice(half)} ` }))
      setTimeout(more, 5 + Math.random() * 20)
    } else res.end(`${frame({}, "stop")}${usage}data: [DONE]\n\n`)
  }
  more()
}

/** Those who wait until all are there. */
let waiting = []

const answers = {
  // The question, again and again, a piece at a time, so that answers to others come between; begun when a thousand ask.
  echo(res, id) {
    echoes++
    waiting.push(() => echo(res, id))
    if (waiting.length < 1000) return
    for (const begin of waiting) begin()
    waiting = []
  },
  endless(res, id) {
    const timer = setInterval(() => res.write(frame({ content: `${id} ` })), 5)
    res.on("close", () => clearInterval(timer))
  },
  contentless(res) {
    const timer = setInterval(() => res.write(": comment\n\n"), 5)
    res.on("close", () => clearInterval(timer))
  }
}

const server = createServer((req, res) => {
  requests++
  answering++
  most = Math.max(most, answering)
  res.on("close", () => answering--)
  const parts = []
  req.on("data", (bytes) => parts.push(bytes))
  req.on("end", () => {
    const { messages, model } = JSON.parse(Buffer.concat(parts).toString())
    if (model === "mute") return
    res.writeHead(200, { "content-type": "text/event-stream" })
    res.flushHeaders()
    answers[model](res, messages.at(-1).content)
  })
})
// An idle connection that was used is closed soon, so that what is left is what the client keeps.
server.keepAliveTimeout = 1000
process.on("message", () => {
  const state = { answering, echoes, most, requests }
  most = answering
  server.getConnections((_, connections) => process.send({ ...state, connections }))
})
server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () =>
  process.send({ port: server.address().port })
)
process.on("disconnect", () => process.exit(0))
