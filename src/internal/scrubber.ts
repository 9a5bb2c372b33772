/** Takes credentials out of texts that come from outside. */
export const scrubber = (secrets: ReadonlyArray<string>): ((text: string) => string) => {
  // A very short "secret" would tear ordinary words apart, and protects nothing.
  const long = secrets.filter((secret) => secret.length >= 6)
  if (long.length === 0) return (text) => text
  return (text) => long.reduce((scrubbed, secret) => scrubbed.split(secret).join("<redacted>"), text)
}
