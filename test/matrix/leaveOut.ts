/** Skips what `leftOut.ts` lists for the runtime that the tests run on. */
import { beforeEach, type RunnerTestCase, type RunnerTestSuite } from "vitest"
import { leftOut } from "./leftOut.js"
import { found } from "./runtime.js"

const here = leftOut.filter(({ runtime }) => runtime === found().name)

const fullName = (task: RunnerTestCase): string => {
  let name = task.name
  for (let suite: RunnerTestSuite | undefined = task.suite; suite !== undefined; suite = suite.suite)
    name = `${suite.name} ${name}`
  return name
}

if (here.length > 0)
  beforeEach(({ skip, task }) => {
    const reason = here.find(({ tests }) => tests.test(fullName(task)))
    if (reason !== undefined) skip(reason.why)
  })
