import { describe, expect, test } from 'vitest'
import { Shedder } from './shedder.ts'
import { randomFlowId, seededRandom, send, spanInHand, textTable } from './test-traffic.ts'

/** A shedder whose chance has settled at about one in so many. */
function settled(times: number, { budget = 1_000, seed = 1 } = {}): Shedder {
  const shedder = new Shedder({ spansPerSecond: budget })
  send(shedder, { seconds: 6, rateAt: () => budget * times, random: seededRandom(seed) })
  return shedder
}

test('below the budget every span is kept as itself', () => {
  const shedder = new Shedder({ spansPerSecond: 1_000 })
  const { kept, came } = send(shedder, { seconds: 10, rateAt: () => 800, random: seededRandom(1) })
  expect(kept).toEqual(came)
  expect(shedder.weight).toBe(1)
  expect(shedder.isPartial).toBe(false)
  expect(shedder.shed).toEqual({ budget: 0, ceiling: 0 })
})

test('at three times the budget the budget is kept, within a tenth, after three seconds', () => {
  const shedder = new Shedder({ spansPerSecond: 5_000 })
  const rateAt = (second: number): number => (second < 3 ? 2_500 : 15_000)
  const { kept } = send(shedder, { seconds: 20, rateAt, spansPerRun: 5, random: seededRandom(2) })
  for (const spans of kept.slice(6)) expect(Math.abs(spans / 5_000 - 1)).toBeLessThan(0.1)
})

test('the spans of a run share its fate while the chance holds', () => {
  const shedder = settled(4)
  const texts = textTable()
  const span = spanInHand(texts)
  shedder.begin(texts, 6_000)
  const random = seededRandom(3)
  let runs = 0
  for (let run = 0; run < 500; run += 1) {
    const id = randomFlowId(random)
    const fates = new Set(Array.from({ length: 20 }, () => shedder.decide(id, 0, span)))
    expect(fates.size).toBe(1)
    if (fates.has(true)) runs += 1
  }
  expect(runs / 500).toBeCloseTo(shedder.chance, 1)
})

test('a change of the chance cuts runs one way only: the smaller keeps none that the larger would not', () => {
  const random = seededRandom(4)
  const ids = Array.from({ length: 1_000 }, () => randomFlowId(random))
  const texts = textTable()
  const keptBy = (shedder: Shedder): Set<number> => {
    shedder.begin(texts, 6_000)
    return new Set(ids.keys().filter((run) => shedder.decide(ids[run] as Uint8Array, 0, spanInHand(texts))))
  }
  const [few, many] = [keptBy(settled(8)), keptBy(settled(3))]
  expect(few.size).toBeGreaterThan(0)
  expect(few.size).toBeLessThan(many.size)
  expect(few.isSubsetOf(many)).toBe(true)
})

describe('for certain', () => {
  /** A run that the hash would not keep. */
  function unlucky(shedder: Shedder): Uint8Array {
    const texts = textTable()
    shedder.begin(texts, 6_000)
    const random = seededRandom(5)
    for (;;) {
      const id = randomFlowId(random)
      if (!shedder.decide(id, 0, spanInHand(texts))) return id
    }
  }

  test('an error is kept as itself, and its run from then on; both are partial', () => {
    const shedder = settled(10)
    const id = unlucky(shedder)
    const texts = textTable()
    shedder.begin(texts, 6_000)
    const told = [false, true, false, false].map((isError) => {
      const isKept = shedder.decide(id, 0, spanInHand(texts, { isError }))
      return isKept ? { weight: shedder.weight, isPartial: shedder.isPartial } : 'shed'
    })
    const kept = { weight: 1, isPartial: true }
    expect(told).toEqual(['shed', kept, kept, kept])
    expect(shedder.kept).toMatchObject({ error: 1, run: 2 })
  })

  test('an unusually slow span is kept, and its run from then on', () => {
    const shedder = settled(10)
    const id = unlucky(shedder)
    const texts = textTable()
    shedder.begin(texts, 6_000)
    const random = seededRandom(6)
    for (let span = 0; span < 500; span += 1) shedder.decide(randomFlowId(random), 0, spanInHand(texts))
    expect(shedder.decide(id, 0, spanInHand(texts, { durationNs: 5e9 }))).toBe(true)
    expect(shedder.decide(id, 0, spanInHand(texts))).toBe(true)
    expect(shedder.kept).toMatchObject({ latency: 1, run: 1 })
  })

  test('a run that the hash keeps anyway is not partial', () => {
    const shedder = settled(2)
    const texts = textTable()
    shedder.begin(texts, 6_000)
    const random = seededRandom(7)
    let id = randomFlowId(random)
    while (!shedder.decide(id, 0, spanInHand(texts))) id = randomFlowId(random)
    expect(shedder.decide(id, 0, spanInHand(texts, { isError: true }))).toBe(true)
    expect(shedder).toMatchObject({ isPartial: false, weight: 1 })
  })
})

test('a span that was sampled before stands for its weight over the chance', () => {
  const shedder = settled(4)
  const texts = textTable()
  const span = spanInHand(texts, { weight: 10 })
  shedder.begin(texts, 6_000)
  const random = seededRandom(8)
  while (!shedder.decide(randomFlowId(random), 0, span));
  expect(shedder.weight).toBeCloseTo(10 / shedder.chance)
})

describe('sums of weights are right', () => {
  // Each seed is a world of its own; the mean over them must be within four standard errors of the truth.
  const worlds = 40

  function relativeErrors(sumsOf: (seed: number) => { estimated: number; true: number }): {
    mean: number
    limit: number
  } {
    const errors = Array.from({ length: worlds }, (_, seed) => {
      const sums = sumsOf(seed + 100)
      return sums.estimated / sums.true - 1
    })
    const mean = errors.reduce((sum, error) => sum + error, 0) / worlds
    const variance = errors.reduce((sum, error) => sum + (error - mean) ** 2, 0) / (worlds - 1)
    return { mean, limit: 4 * Math.sqrt(variance / worlds) }
  }

  /** Runs of eight spans at five times the budget; errors in some, at any place in the run; part was sampled by its sender. */
  function world(seed: number, of: 'spans' | 'errors', errorShare: number): { estimated: number; true: number } {
    const random = seededRandom(seed)
    const shedder = new Shedder({ spansPerSecond: 1_000 })
    const texts = textTable()
    const span = spanInHand(texts)
    const sums = { estimated: 0, true: 0 }
    for (let atMs = 0; atMs < 8_000; atMs += 20) {
      shedder.begin(texts, atMs)
      for (let run = 0; run < 12; run += 1) {
        const id = randomFlowId(random)
        // A head sampler of its own took one in four of these.
        const isSampled = random() < 0.3
        const isTaken = !isSampled || random() < 0.25
        span.weight = isSampled ? 4 : 1
        const failsAt = random() < errorShare ? Math.floor(random() * 8) : -1
        for (let each = 0; each < 8; each += 1) {
          span.isError = each === failsAt
          span.durationNs = 20e6 * (1 + random())
          const counts = of === 'spans' || span.isError ? 1 : 0
          sums.true += counts
          if (isTaken && shedder.decide(id, 0, span)) sums.estimated += counts * shedder.weight
        }
      }
    }
    return sums
  }

  test.each([
    ['spans', 0],
    ['spans', 0.02],
    ['errors', 0.02],
    ['spans', 0.9],
    ['errors', 0.9],
  ] as const)('of %s when %f of the runs fail', (of, errorShare) => {
    const { mean, limit } = relativeErrors((seed) => world(seed, of, errorShare))
    expect(Math.abs(mean)).toBeLessThan(limit)
    expect(Math.abs(mean)).toBeLessThan(0.03)
  })
})

test('rates before shedding are exact', () => {
  const shedder = new Shedder({ spansPerSecond: 500 })
  const { came } = send(shedder, { seconds: 20, rateAt: () => 5_000, errorShare: () => 0.1, random: seededRandom(9) })
  const rows = shedder.takeCounts()
  expect(rows.map(({ windowS, spans }) => [windowS, spans])).toEqual([
    [0, came.slice(0, 10).reduce((a, b) => a + b)],
    [10, came.slice(10).reduce((a, b) => a + b)],
  ])
})

test('a refused request leaves no counts, and nothing of it was kept or shed', () => {
  const shedder = settled(4)
  shedder.takeCounts()
  const before = { kept: { ...shedder.kept }, shed: { ...shedder.shed } }
  const texts = textTable()
  const random = seededRandom(13)
  const request = (): void => {
    shedder.begin(texts, 6_000)
    for (let each = 0; each < 100; each += 1) {
      shedder.decide(randomFlowId(random), 0, spanInHand(texts, { isError: each < 3 }))
    }
  }
  request()
  shedder.rollBack()
  expect(shedder).toMatchObject(before)
  expect(shedder.takeCounts()).toEqual([])
  request()
  const shed = shedder.commit()
  expect(shed.budget).toBeGreaterThan(0)
  expect(shedder.shed.budget - before.shed.budget).toBe(shed.budget)
  expect(shedder.takeCounts()).toMatchObject([{ spans: 100, errors: 3 }])
})

test('in an outage the budget holds, errors are thinned with their weight, and some of the rest remains', () => {
  const shedder = new Shedder({ spansPerSecond: 1_000 })
  const errorShare = (second: number): number => (second < 4 ? 0.001 : 0.9)
  const traffic = { seconds: 20, rateAt: () => 20_000, errorShare, spansPerRun: 2, random: seededRandom(10) }
  const { kept } = send(shedder, traffic)
  for (const spans of kept.slice(8)) expect(Math.abs(spans / 1_000 - 1)).toBeLessThan(0.25)
  const mean = kept.slice(8).reduce((a, b) => a + b) / 12
  expect(Math.abs(mean / 1_000 - 1)).toBeLessThan(0.1)
  expect(shedder.kept.chance).toBeGreaterThan(0)
})

test('whoever sends only flow IDs that are kept meets the ceiling', () => {
  const shedder = new Shedder({ spansPerSecond: 1_000 })
  const texts = textTable()
  const random = seededRandom(11)
  const lucky: Uint8Array[] = []
  const probe = settled(200, { budget: 100 })
  probe.begin(texts, 6_000)
  while (lucky.length < 20) {
    const id = randomFlowId(random)
    if (probe.decide(id, 0, spanInHand(texts))) lucky.push(id)
  }
  let kept = 0
  for (let atMs = 0; atMs < 60_000; atMs += 20) {
    shedder.begin(texts, atMs)
    for (let span = 0; span < 200; span += 1) {
      if (shedder.decide(lucky[span % 20] as Uint8Array, 0, spanInHand(texts))) kept += 1
    }
  }
  expect(kept).toBeLessThanOrEqual(2 * 60 * 1_000 + 10 * 1_000)
  expect(shedder.shed.ceiling).toBeGreaterThan(0)
})

test('names and runs without end take no more memory than their bounds', () => {
  const shedder = new Shedder({ spansPerSecond: 1_000 })
  const texts = textTable()
  const random = seededRandom(12)
  const id = randomFlowId(random)
  const counter = new DataView(id.buffer)
  let spans = 0
  for (let request = 0; request < 300; request += 1) {
    if (texts.isFull) texts.forget()
    shedder.begin(texts, request * 100)
    for (let each = 0; each < 500; each += 1) {
      spans += 1
      counter.setUint32(0, spans)
      const span = spanInHand(texts, { operation: `GET /${spans}`, isError: true, endMs: request * 100 })
      shedder.decide(id, 0, span)
    }
    shedder.commit()
  }
  expect(shedder.countedAsOther).toBe(spans - (1 << 14))
  expect(shedder.forgottenEarly).toBeGreaterThan(0)
  const rows = shedder.takeCounts()
  expect(rows.reduce((sum, row) => sum + row.spans, 0)).toBe(spans)
})
