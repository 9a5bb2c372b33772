/** The errors of the binding. Their classes cannot be imported in a Worker either: their names are what tells them apart. */

const named = (name: string, message: string): Error => {
  const error = new Error(message)
  error.name = name
  return error
}

export const aiInternalError = (message: string): Error => named("AiInternalError", message)
export const aiGatewayInternalError = (message: string): Error => named("AiGatewayInternalError", message)
export const aiGatewayLogNotFound = (message: string): Error => named("AiGatewayLogNotFound", message)
export const inferenceUpstreamError = (message: string, name = "InferenceUpstreamError"): Error =>
  named(name, message)
