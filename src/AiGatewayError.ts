/**
 * Everything that can go wrong, as tagged errors, and the one pure function that tells which of them a response is.
 *
 * @since 0.1.0
 */

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
