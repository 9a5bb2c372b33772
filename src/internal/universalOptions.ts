/** Options of a universal request: what belongs into an entry, and what stays outside. Source: `protocol/gateway.md` §2.3. */
import * as RequestOptions from "../RequestOptions.js"

/**
 * What a leg's own options add to its entry. An entry's headers win over the outer ones, which are the call's; so what the
 * call itself says is left out of the entry, and metadata, which would be replaced, is whole.
 */
export const ownOptions = (
  own: RequestOptions.RequestOptions | undefined,
  ofCall: RequestOptions.RequestOptions | undefined,
  outer: RequestOptions.RequestOptions
): RequestOptions.RequestOptions | undefined => {
  if (own === undefined) return undefined
  const saidByCall = new Set(
    Object.entries(ofCall ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  )
  const kept: RequestOptions.RequestOptions = Object.fromEntries(
    Object.entries(own).filter(([name]) => !saidByCall.has(name))
  )
  if (own.metadata === undefined) return kept
  return { ...kept, metadata: RequestOptions.merge(RequestOptions.merge(outer, own), ofCall).metadata }
}
