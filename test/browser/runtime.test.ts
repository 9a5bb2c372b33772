import { assert, describe, it } from "@effect/vitest"
import { inject } from "vitest"

interface Brand {
  readonly brand: string
  readonly version: string
}

/** Chromium's own; not in TypeScript's DOM. */
interface UserAgentData {
  readonly getHighEntropyValues: (
    hints: ReadonlyArray<string>
  ) => Promise<{ readonly fullVersionList: ReadonlyArray<Brand> }>
}

const data = (): UserAgentData => (navigator as Navigator & { userAgentData: UserAgentData }).userAgentData

describe("these tests run", () => {
  it("in a page, of another origin than the gateway", () => {
    assert.strictEqual(document.defaultView, window)
    assert.notStrictEqual(new URL(inject("gatewayUrl")).origin, location.origin)
  })

  it("in Chromium, in the version that the program itself told", async () => {
    const { fullVersionList } = await data().getHighEntropyValues(["fullVersionList"])
    const chromium = fullVersionList.find(({ brand }) => brand === "Chromium")
    assert.isDefined(chromium)
    const expected = inject("expectedBrowser")
    if (expected !== null) assert.strictEqual(`chromium ${chromium?.version}`, expected)
  })
})
