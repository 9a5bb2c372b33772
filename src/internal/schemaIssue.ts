/** The one issue of a Schema's error that is worth telling, and where it is. */
import * as ParseResult from "effect/ParseResult"

export interface SchemaIssue {
  /** Such as `messages[2].content`; empty for the root. */
  readonly path: string
  readonly message: string
}

export const firstIssue = (error: ParseResult.ParseError): SchemaIssue => {
  // A union reports each of its members; the issue that lies deepest is about the member that was meant.
  let issue: ParseResult.ArrayFormatterIssue | undefined
  for (const found of ParseResult.ArrayFormatter.formatErrorSync(error)) {
    if (issue === undefined || found.path.length > issue.path.length) issue = found
    else if (found.path.length === issue.path.length && weight(found) > weight(issue)) issue = found
  }
  return { path: pathText(issue?.path ?? []), message: excerpt(issue?.message ?? "wrong type") }
}

/** At the same depth, a key that does not belong there speaks for another member, and a wrong value for this one. */
const weight = ({ _tag }: ParseResult.ArrayFormatterIssue): number =>
  _tag === "Unexpected" ? 0 : _tag === "Missing" ? 1 : 2

const pathText = (path: ReadonlyArray<PropertyKey>): string =>
  path
    .map((key, index) =>
      typeof key === "number" ? `[${key}]` : index === 0 ? String(key) : `.${String(key)}`
    )
    .join("")

/** A message about a wrong value quotes it, and that may be a whole conversation. */
const excerpt = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text)
