/** A file of its own: the names of models are counted for the whole process. */
import { assert, it } from "@effect/vitest"
import { Effect, Metric, MetricState } from "effect"
import * as Metrics from "../src/internal/metrics.js"

it.effect("models beyond a thousand names are one series, so that names cannot fill the memory", () =>
  Effect.gen(function* () {
    for (let n = 0; n < 1500; n++) Metrics.left({ provider: "openai", model: `name-${n}` }, "ProviderFailure")
    const counted = (yield* Metric.snapshot)
      .filter(({ metricKey }) => metricKey.name === "cloudflare.ai_gateway.fallbacks")
      .map(({ metricKey, metricState }) => ({
        model: metricKey.tags.find(({ key }) => key === "gen_ai.request.model")?.value,
        count: MetricState.isCounterState(metricState) ? Number(metricState.count) : Number.NaN
      }))
    assert.lengthOf(counted, 1001)
    assert.deepStrictEqual(
      counted.find(({ model }) => model === "_OTHER"),
      { model: "_OTHER", count: 500 }
    )
    assert.deepStrictEqual(
      counted.find(({ model }) => model === "name-0"),
      { model: "name-0", count: 1 }
    )
  })
)
