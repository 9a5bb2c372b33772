/** Starts, in Node, the gateway that the tests in Chromium talk to. */
import { Effect, Exit, Scope } from "effect"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"
import type { TestProject } from "vitest/node"
import { variable } from "../matrix/runtime.js"
import { controlled } from "../workers/controlled.js"
import { crossOrigin } from "./crossOrigin.js"

declare module "vitest" {
  interface ProvidedContext {
    /** `http://127.0.0.1:{port}`. */
    gatewayUrl: string
    /** `chromium 1.2.3.4`, where `npm run matrix` says what it has started. */
    expectedBrowser: string | null
  }
}

const setup = async (project: TestProject) => {
  const scope = Effect.runSync(Scope.make())
  const { url } = await Effect.runPromise(
    Scope.extend(LocalGatewayServer.start(crossOrigin(controlled())), scope)
  )
  project.provide("gatewayUrl", url)
  project.provide("expectedBrowser", process.env[variable] ?? null)
  return () => Effect.runPromise(Scope.close(scope, Exit.void))
}

export default setup
