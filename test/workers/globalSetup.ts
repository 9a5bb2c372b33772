/** Starts, in Node, the gateway that the tests in `workerd` talk to. */
import { Effect, Exit, Scope } from "effect"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"
import type { TestProject } from "vitest/node"
import { controlled } from "./controlled.js"

declare module "vitest" {
  interface ProvidedContext {
    /** `127.0.0.1:{port}`. */
    gatewayAddress: string
  }
}

const setup = async (project: TestProject) => {
  const scope = Effect.runSync(Scope.make())
  const { port } = await Effect.runPromise(Scope.extend(LocalGatewayServer.start(controlled()), scope))
  project.provide("gatewayAddress", `127.0.0.1:${port}`)
  return () => Effect.runPromise(Scope.close(scope, Exit.void))
}

export default setup
