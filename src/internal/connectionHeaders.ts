/**
 * Headers of an answer that describe the bytes between the gateway and its transport, which has undone any encoding. Whoever
 * hands the answer on leaves them out.
 */
export const connectionHeaders: ReadonlySet<string> = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "keep-alive",
  "transfer-encoding"
])
