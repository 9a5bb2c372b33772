import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as GatewayMetadata from "../src/GatewayMetadata.js"

const { fromHeaders } = GatewayMetadata

describe("what the gateway says in its headers", () => {
  const fields: ReadonlyArray<readonly [string, keyof GatewayMetadata.GatewayMetadata, string]> = [
    ["cf-aig-log-id", "logId", "01JADMCQQQBWH3NXZ5GCRN98DP"],
    ["cf-aig-event-id", "eventId", "event-1"],
    ["cf-aig-cache-status", "cacheStatus", "HIT"],
    ["cf-aig-run-id", "runId", "ab12"],
    ["cf-aig-model", "model", "gpt-5-mini"],
    ["cf-aig-provider", "provider", "openai"],
    ["cf-aig-routed-model", "routedModel", "openai/gpt-5-mini"],
    ["cf-aig-routing-reason", "routingReason", "pinned_by_turn"],
    ["cf-aig-routing-decision-id", "routingDecisionId", "d-1"],
    ["cf-aig-request-id", "requestId", "r-1"],
    ["cf-ai-req-id", "workersAiRequestId", "w-1"],
    ["cf-ray", "ray", "8f1-ZRH"],
    ["payment-required", "paymentRequired", "eyJ9"]
  ]
  for (const [header, field, value] of fields) {
    it(`is read from ${header}`, () => {
      assert.deepStrictEqual(fromHeaders({ [header]: value }), { [field]: value })
    })
  }

  it("is read from all headers at once", () => {
    const headers = Object.fromEntries(fields.map(([header, , value]) => [header, value]))
    const metadata = Object.fromEntries(fields.map(([, field, value]) => [field, value]))
    assert.deepStrictEqual(fromHeaders({ ...headers, "cf-aig-step": "1" }), { ...metadata, step: 1 })
  })

  it("is nothing without its headers", () => {
    assert.deepStrictEqual(fromHeaders({}), {})
    assert.deepStrictEqual(
      fromHeaders({ "content-type": "application/json", "cf-aig-log-id": undefined }),
      {}
    )
  })

  it("is nothing where a header is empty", () => {
    assert.deepStrictEqual(fromHeaders({ "cf-aig-log-id": "", "cf-aig-step": "", "cf-aig-dlp": "" }), {})
  })

  it("never throws, whatever the headers are", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.string(), FastCheck.jsonValue(), (step, dlp) => {
        fromHeaders({ "cf-aig-step": step, "cf-aig-dlp": JSON.stringify(dlp) })
        fromHeaders({ "cf-aig-step": step, "cf-aig-dlp": step })
      })
    )
  })
})

describe("the step that answered", () => {
  it("is a count from 0", () => {
    assert.deepStrictEqual(fromHeaders({ "cf-aig-step": "0" }), { step: 0 })
    assert.deepStrictEqual(fromHeaders({ "cf-aig-step": "12" }), { step: 12 })
  })

  for (const step of ["x", "-1", "1.5", "1e3", " 1", "NaN", "99999999999999999999", "1, 2"]) {
    it(`is left out if it is ${JSON.stringify(step)}`, () => {
      assert.deepStrictEqual(fromHeaders({ "cf-aig-step": step }), {})
    })
  }
})

describe("findings of data-loss prevention", () => {
  const findings = [
    { profile: { profile_id: "p", entry_ids: ["e"], context: {} }, policy_ids: ["x"], check: "REQUEST" }
  ]

  it("are read as the gateway wrote them", () => {
    const { dlp } = fromHeaders({ "cf-aig-dlp": JSON.stringify({ findings, action: "BLOCK" }) })
    assert.strictEqual(dlp?.action, "BLOCK")
    assert.deepStrictEqual(dlp?.findings, findings)
  })

  it("are flagged if the gateway says no action, and empty if it lists none", () => {
    const { dlp } = fromHeaders({ "cf-aig-dlp": "{}" })
    assert.strictEqual(dlp?.action, "FLAG")
    assert.deepStrictEqual(dlp?.findings, [])
  })

  for (const header of ["{", "x", "null", "5", '"BLOCK"', "[]", "true"]) {
    it(`are left out if the header is ${header}`, () => {
      assert.deepStrictEqual(fromHeaders({ "cf-aig-dlp": header, "cf-ray": "r" }), { ray: "r" })
    })
  }
})
