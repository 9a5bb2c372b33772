/** What of an `@effect/ai` call cannot be said in our vocabulary. */
import * as Either from "effect/Either"
import { InvalidRequest } from "../errors.js"

export const cannotSend = (field: string, problem: string): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ field, message: `The request is invalid at ${field}: ${problem}` }))
