/** The name of a tool whose arguments are to be the answer: no other tool of the request may have it. */
import type { Output } from "../../ChatRequest.js"

export const outputToolName = (
  { name }: Output,
  tools: ReadonlyArray<{ readonly name: string }> = []
): string => {
  const isTaken = (wanted: string): boolean => tools.some((tool) => tool.name === wanted)
  let free = name
  // A name has 64 characters at the most.
  for (let count = 2; isTaken(free); count++) free = `${name.slice(0, 58)}_${count}`
  return free
}
