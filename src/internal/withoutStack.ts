/**
 * Makes an error that has no stack. What a server answered is not thrown by a line of code: the stack would show the loop
 * that runs fibers, never the user's call, and taking it costs as much as a span. (Where a call came from, its spans tell,
 * and `Cause.pretty` prints them.)
 */
export const withoutStack = <E extends Error>(make: () => E): E => {
  const { stackTraceLimit } = Error
  if (!limited(0)) return make()
  try {
    return make()
  } finally {
    limited(stackTraceLimit)
  }
}

/** False where a sandbox has frozen `Error`. */
const limited = (limit: number): boolean => Reflect.set(Error, "stackTraceLimit", limit)
