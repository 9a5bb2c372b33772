/** What vitest's JSON report says. */
import { existsSync, readFileSync } from "node:fs"

export interface Test {
  readonly name: string
  readonly file: string
  readonly failures: ReadonlyArray<string>
}

export interface Report {
  readonly passed: number
  readonly failed: ReadonlyArray<Test>
  readonly skipped: ReadonlyArray<Test>
  /** Vitest's own judgement; also false for an error that belongs to no test. */
  readonly success: boolean
}

interface Json {
  readonly success: boolean
  readonly testResults: ReadonlyArray<{
    readonly name: string
    readonly status: string
    readonly message: string
    readonly assertionResults: ReadonlyArray<{
      readonly fullName: string
      readonly status: string
      readonly failureMessages?: ReadonlyArray<string> | null
    }>
  }>
}

/** Undefined where the run did not get as far as a report. */
export const read = (file: string): Report | undefined => {
  if (!existsSync(file)) return undefined
  const json = JSON.parse(readFileSync(file, "utf8")) as Json
  let passed = 0
  const failed: Array<Test> = []
  const skipped: Array<Test> = []
  for (const { assertionResults, message, name: file, status } of json.testResults) {
    // A file that could not be loaded has no test to blame.
    if (status === "failed" && !assertionResults.some((test) => test.status === "failed"))
      failed.push({ name: "(the file itself)", file, failures: [message] })
    for (const { failureMessages, fullName, status } of assertionResults) {
      const test = { name: fullName.trim(), file, failures: failureMessages ?? [] }
      if (status === "passed") passed++
      else if (status === "failed") failed.push(test)
      else skipped.push(test)
    }
  }
  return { passed, failed, skipped, success: json.success }
}
