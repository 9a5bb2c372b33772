/** Identifiers in the shapes that Cloudflare and the vendors use. */

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

/** A ULID: 26 characters, the first ten the time in milliseconds (`cf-aig-log-id`). */
export const ulid = (now: number): string => {
  let time = ""
  let rest = Math.max(0, Math.floor(now))
  for (let i = 0; i < 10; i++) {
    time = crockford.charAt(rest % 32) + time
    rest = Math.floor(rest / 32)
  }
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16))
  return time + Array.from(bytes, (byte) => crockford.charAt(byte % 32)).join("")
}

/** A random UUID (`cf-aig-event-id`). */
export const uuid = (): string => globalThis.crypto.randomUUID()

/** Lower-case hexadecimal of the given length. */
export const hex = (length: number): string =>
  Array.from(globalThis.crypto.getRandomValues(new Uint8Array(length)), (byte) =>
    (byte % 16).toString(16)
  ).join("")

/** `prefix` and then 24 letters and digits, as vendors name answers and tool calls. */
export const vendorId = (prefix: string): string => prefix + hex(24)
