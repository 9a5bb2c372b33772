/** Is a binding the one that is wanted? What a Worker is given is only known when it runs. */
import * as Either from "effect/Either"
import { InvalidRequest } from "./errors.js"

/** Checks `env.AI.gateway(id)`. */
export const checkGateway = (binding: unknown): Either.Either<void, InvalidRequest> => {
  if (binding === undefined || binding === null) return missing("env.AI.gateway(id)")
  // Over RPC every name is a method.
  if (has(binding, "gateway") && !has(binding, "getLog")) {
    return invalid('This is env.AI itself: give its gateway, env.AI.gateway("my-gateway"), or use AiBinding.')
  }
  if (typeof binding === "string") {
    return invalid('This is a text: give the gateway of the binding, env.AI.gateway("my-gateway").')
  }
  return has(binding, "run")
    ? Either.right(undefined)
    : invalid('This has no run: give the gateway of the binding, env.AI.gateway("my-gateway").')
}

/** Checks `env.AI.gateway(id)` for its log. */
export const checkLogs = (binding: unknown): Either.Either<void, InvalidRequest> => {
  if (binding === undefined || binding === null) return missing("env.AI.gateway(id)")
  if (has(binding, "getLog") && has(binding, "patchLog")) return Either.right(undefined)
  if (has(binding, "gateway")) {
    return invalid('This is env.AI itself: give its gateway, env.AI.gateway("my-gateway").')
  }
  if (typeof binding === "string") {
    return invalid('This is a text: give the gateway of the binding, env.AI.gateway("my-gateway").')
  }
  return invalid(
    'This has no getLog and patchLog: give the gateway of the binding, env.AI.gateway("my-gateway"), and nothing that wraps a part of it.'
  )
}

/** Checks `env.AI`. */
export const checkAi = (binding: unknown): Either.Either<void, InvalidRequest> => {
  if (binding === undefined || binding === null) return missing("env.AI")
  if (has(binding, "run") && has(binding, "getLog") && !has(binding, "gateway")) {
    return invalid(
      "This is a gateway of the binding: give the binding itself, env.AI, and name the gateway by gatewayId."
    )
  }
  return has(binding, "run") && has(binding, "gateway")
    ? Either.right(undefined)
    : invalid("This is no AI binding: give env.AI.")
}

// A binding may be a proxy, or hold its methods where `in` does not look: they are read.
const has = (binding: unknown, method: string): boolean => {
  if (typeof binding !== "object" && typeof binding !== "function") return false
  try {
    return typeof Reflect.get(binding as object, method) === "function"
  } catch {
    return false
  }
}

const missing = (name: string) =>
  invalid(
    `The binding ${name} is missing: name it in the Worker's configuration, as in "ai": { "binding": "AI" }, and take it from env.`
  )

const invalid = (message: string): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ field: "binding", message }))
