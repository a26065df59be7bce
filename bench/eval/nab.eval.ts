// The Numenta Anomaly Benchmark: single series, found while they stream, one threshold for all of them.
import type { Judgement } from '@headwater/analyzer'
import { Chance } from '../ingest/chance.ts'
import type { Evaluation, Source } from './evaluation.ts'
import { type NabSeries, readCorpus } from './nab/corpus.ts'
import { type Detector, judgements, random, rollingMedian, windowedGaussian } from './nab/detectors.ts'
import { type NabScore, nabScore, probationLength, type ScoredSeries, seriesScore } from './nab/score.ts'

const goal = 65
const seeds = 20
const draws = 1_000

export const source: Source = { dataSet: 'nab' }

export const evaluation: Evaluation = async ({ folder, progress, tell }) => {
  const corpus = await readCorpus(await folder('nab'))
  const judged = corpus.map((series) => {
    progress(series.name)
    return judgements(series)
  })
  const scored = corpus.map(({ windows }, i) => ({ windows, scores: (judged[i] ?? []).map(({ news }) => news) }))
  const result = nabScore(scored)
  const chance = Array.from({ length: seeds }, (_, seed) => scoreOf(corpus, random(seed)).score)
  const floor = chance.reduce((sum, score) => sum + score, 0) / seeds
  const gaussian = scoreOf(corpus, windowedGaussian)
  const median = scoreOf(corpus, rollingMedian)
  const { low, high } = interval(scored, result.threshold)
  tell(detectorTable({ ours: result, 'windowed Gaussian': gaussian, 'rolling median': median }))
  tell(seriesTable(corpus, scored, result.threshold))
  tell(calibrationTable(corpus, judged))
  return [
    {
      id: 'nab',
      set: 'NAB',
      measure: 'NAB score, standard profile, one threshold',
      value: result.score,
      low,
      high,
      n: result.windows,
      floor,
      baselines: { random: floor, 'windowed Gaussian': gaussian.score, 'rolling median': median.score },
      goal: `≥ ${goal}`,
      met: result.score >= goal,
    },
  ]
}

function scoreOf(corpus: readonly NabSeries[], detector: Detector): NabScore {
  return nabScore(corpus.map((series) => ({ windows: series.windows, scores: detector(series) })))
}

/** By drawing series with replacement (Efron 1979), at the threshold that was found for all. */
function interval(scored: readonly ScoredSeries[], threshold: number): { low: number; high: number } {
  const gains = scored.map((series) => ({ ...seriesScore(series, threshold), windows: series.windows.length }))
  const chance = new Chance(1)
  const scores = Array.from({ length: draws }, () => {
    let gain = 0
    let windows = 0
    for (let i = 0; i < gains.length; i += 1) {
      const drawn = gains[chance.below(gains.length)]
      gain += drawn?.gain ?? 0
      windows += drawn?.windows ?? 0
    }
    return (100 * (gain + windows)) / (2 * windows)
  })
  scores.sort((a, b) => a - b)
  return { low: scores[Math.floor(0.025 * draws)] ?? 0, high: scores[Math.floor(0.975 * draws)] ?? 100 }
}

function detectorTable(results: Readonly<Record<string, NabScore>>): string {
  const lines = Object.entries(results).map(
    ([name, { score, threshold, found, windows, falseAlarms }]) =>
      `| ${name} | ${score.toFixed(1)} | ${found} of ${windows} | ${falseAlarms} | ${threshold.toPrecision(4)} |`,
  )
  return ['| detector | score | found | false alarms | threshold |', '|---|---|---|---|---|', ...lines].join('\n')
}

function seriesTable(corpus: readonly NabSeries[], scored: readonly ScoredSeries[], threshold: number): string {
  const lines = corpus.flatMap(({ name, windows, timesMs }, i) => {
    const series = scored[i]
    if (series === undefined) return []
    const { gain, found, falseAlarms } = seriesScore(series, threshold)
    const days = ((timesMs.at(-1) ?? 0) - (timesMs[0] ?? 0)) / 86_400_000
    return [
      `| ${name.replace('.csv', '')} | ${found} of ${windows.length} | ${gain.toFixed(2)} | ${falseAlarms} | ${(falseAlarms / days).toFixed(2)} |`,
    ]
  })
  return ['| series | found | gain | false alarms | a day |', '|---|---|---|---|---|', ...lines].join('\n')
}

/** Points outside of all windows, after the time of learning: how many of them have a p-value of so little? */
function calibrationTable(corpus: readonly NabSeries[], judged: readonly (readonly Judgement[])[]): string {
  const healthy = corpus.flatMap(({ windows }, i) =>
    (judged[i] ?? []).filter(
      (_, point, { length }) =>
        point >= probationLength(length) && !windows.some(({ first, last }) => point >= first && point <= last),
    ),
  )
  const lines = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5].map((limit) => {
    const share = healthy.filter(({ pValue }) => pValue <= limit).length / healthy.length
    return `| ${limit} | ${share.toPrecision(2)} |`
  })
  return ['| p-value at most | share of points outside of all windows |', '|---|---|', ...lines].join('\n')
}
