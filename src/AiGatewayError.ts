/**
 * Everything that can go wrong, as tagged errors, and the one pure function that tells which of them a response is.
 *
 * @since 0.1.0
 */

export {
  /**
   * The error of this library behind anything that any client failed with. Pure and total.
   *
   * @since 0.1.0
   * @category classification
   */
  fromUnknown
} from "./internal/classify/foreignError.js"
export {
  /**
   * Classifies a response that is an error: by its code, then its body, then its status. Pure and total.
   *
   * @since 0.1.0
   * @category classification
   */
  classify
} from "./internal/classify.js"
export * from "./internal/errors.js"
