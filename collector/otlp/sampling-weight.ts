// How many spans a sampled one stands for, as OpenTelemetry's tracestate tells: the rejection threshold `ot=th:`, 56 bits in
// hex with trailing zeros cut. https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
// The table's default for `Weight` computes the same.

const threshold = /(?:^|,)ot=(?:[^,]*;)?th:([0-9a-f]{1,14})/

/** 1 / probability; 1 when the tracestate does not say. */
export function samplingWeight(traceState: string): number {
  const digits = threshold.exec(traceState)?.[1]
  if (digits === undefined) return 1
  return 1 / Math.max(1e-9, 1 - Number.parseInt(digits.padEnd(14, '0'), 16) / 2 ** 56)
}
