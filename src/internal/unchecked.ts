/**
 * For errors that this library makes of values whose types it knows: a Schema's constructor would check them again, which
 * costs as much as a request.
 */
export const unchecked = { disableValidation: true } as const
