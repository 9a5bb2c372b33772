/** Vectors made from texts: the same for the same text and model, of length 1, and near where texts share words. */

/** FNV-1a, 32 bits. */
const hash = (text: string): number => {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return value >>> 0
}

/** Adds a direction that the seed alone decides. */
const add = (vector: Array<number>, seed: string, weight: number): void => {
  let state = hash(seed) || 1
  for (let i = 0; i < vector.length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    vector[i] = (vector[i] ?? 0) + weight * ((state >>> 0) / 0x80000000 - 1)
  }
}

export const vectorOf = (model: string, text: string, dimensions: number): ReadonlyArray<number> => {
  const vector = Array.from({ length: dimensions }, () => 0)
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []) add(vector, `${model} ${word}`, 1)
  // What tells texts of the same words apart.
  add(vector, `${model}\n${text}`, 0.05)
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
  return vector.map((value) => Math.fround(value / length))
}

/** Little-endian 32 bit floats, as OpenAI's `encoding_format: "base64"` has them. */
export const base64Floats = (vector: ReadonlyArray<number>): string => {
  const view = new DataView(new ArrayBuffer(vector.length * 4))
  for (const [index, value] of vector.entries()) view.setFloat32(index * 4, value, true)
  let binary = ""
  for (let i = 0; i < view.byteLength; i++) binary += String.fromCharCode(view.getUint8(i))
  return btoa(binary)
}
