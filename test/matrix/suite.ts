/** The main job's test suite: what has to hold on every runtime. Paths are from the repository's root. */
export const suite: ReadonlyArray<string> = [
  "test/matrix/runtime.test.ts",
  // The program itself, as a process of its own.
  "test/mainJob.test.ts",
  "test/gatewayCommand.test.ts",
  // What it is built from.
  "test/skeleton.test.ts",
  "test/construction.test.ts",
  "test/credentials.test.ts",
  "test/RequestOptions.test.ts",
  "test/GatewayMetadata.test.ts",
  "test/ChatRequest.test.ts",
  "test/ChatEvent.test.ts",
  "test/entries.test.ts",
  "test/universal.test.ts",
  "test/dynamicRoute.test.ts",
  // Errors, retries, fallback, time.
  "test/classify.test.ts",
  "test/errors.test.ts",
  "test/retryAfter.test.ts",
  "test/retries.test.ts",
  "test/fallback.test.ts",
  "test/clocks.test.ts",
  // Streams, sockets, and what breaks them.
  "test/streams.test.ts",
  "test/interruption.test.ts",
  "test/faults.test.ts",
  "test/wireFaults.test.ts",
  "test/spans.test.ts",
  // The four wire formats.
  "test/wire/openAiChat.test.ts",
  "test/wire/anthropicMessages.test.ts",
  "test/wire/googleGenerateContent.test.ts",
  "test/wire/workersAi.test.ts",
  "test/wire/splits.test.ts",
  "test/wire/section12.test.ts",
  "test/wire/alternating.test.ts",
  // The gateway and the model that stand in for the real ones.
  "test/LocalGateway.test.ts",
  "test/LocalGatewayServer.test.ts",
  "test/localGatewayRouting.test.ts",
  "test/TestModel.test.ts",
  // Software that others wrote.
  "test/peers.test.ts",
  "test/peers/aimock.test.ts",
  "test/peers/openai.test.ts"
]
