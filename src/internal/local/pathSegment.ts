/** Undecoded where it is no encoding of anything: then it names nothing that exists. */
export const decoded = (segment: string): string => {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
