// ASD and SMD: the metrics of a server, judged together, point by point.
import type { Evaluation, ScoreRow, Source } from './evaluation.ts'
import { resampledMean } from './resampled-mean.ts'
import { farthestMetric, ours, principal, principalHeld, random, type ServerDetector } from './servers/detectors.ts'
import { type PointScore, scorePoints } from './servers/points.ts'
import { readServers, type Server } from './servers/read.ts'
import { wilsonInterval } from './wilson.ts'

/** What principal components reach over all servers of the sets, of which this part has some. */
const floors = { asd: 0.09, smd: 0.17 } as const

const baselines: Readonly<Record<string, ServerDetector>> = {
  random,
  'farthest metric': farthestMetric,
  'PCA 90 %, 99.9th': principal,
  'PCA 90 %, smoothed and held as ours': principalHeld,
}

interface Judged {
  server: string
  days: number
  anomalous: number
  scores: Readonly<Record<string, PointScore>>
}

export const source: Source = { dataSet: 'asd-smd' }

export const evaluation: Evaluation = async ({ folder, progress, tell }) => {
  const path = await folder('asd-smd')
  const rows: ScoreRow[] = []
  for (const set of ['asd', 'smd'] as const) {
    const judged: Judged[] = []
    for await (const server of readServers(path, set)) {
      progress(server.name)
      judged.push(judge(server))
    }
    tell(serverTable(judged))
    tell(detectorTable(judged))
    const goal = 2 * floors[set]
    const value = meanF1(judged, 'ours')
    rows.push({
      id: `${set}_f1`,
      set: set.toUpperCase(),
      measure: 'F1 by point, mean over servers',
      value,
      ...resampledMean(judged.map(({ scores }) => scores['ours']?.f1 ?? 0)),
      n: judged.length,
      floor: floors[set],
      baselines: Object.fromEntries(Object.keys(baselines).map((name) => [name, meanF1(judged, name)])),
      goal: `≥ ${goal}`,
      met: value >= goal,
    })
  }
  return rows
}

function judge(server: Server): Judged {
  const { name, stepMs, test, labels } = server
  const scored = Object.entries({ ours, ...baselines }).map(
    ([detector, detect]) => [detector, scorePoints(detect(server), labels)] as const,
  )
  return {
    server: name,
    days: (test.length * stepMs) / 86_400_000,
    anomalous: labels.reduce((sum, label) => sum + label, 0) / labels.length,
    scores: Object.fromEntries(scored),
  }
}

function meanF1(judged: readonly Judged[], detector: string): number {
  return judged.reduce((sum, { scores }) => sum + (scores[detector]?.f1 ?? 0), 0) / judged.length
}

function serverTable(judged: readonly Judged[]): string {
  const lines = judged.flatMap(({ server, anomalous, days, scores }) => {
    const score = scores['ours']
    if (score === undefined) return []
    const { f1, precision, recall, eventsFound, events, falseAlarms } = score
    const others = Object.keys(baselines).map((name) => (scores[name]?.f1 ?? 0).toFixed(2))
    return [
      `| ${server} | ${(100 * anomalous).toFixed(1)} % | ${f1.toFixed(2)} | ${precision.toFixed(2)} | ${recall.toFixed(2)} | ${eventsFound} of ${events} | ${(falseAlarms / days).toFixed(1)} | ${others.join(' | ')} |`,
    ]
  })
  const names = Object.keys(baselines)
  return [
    `| server | anomalous | F1 | precision | recall | events found | false alarms a day | ${names.map((name) => `F1, ${name}`).join(' | ')} |`,
    `|---|---|---|---|---|---|---|${names.map(() => '---|').join('')}`,
    ...lines,
  ].join('\n')
}

function detectorTable(judged: readonly Judged[]): string {
  const lines = ['ours', ...Object.keys(baselines)].map((name) => {
    const scores = judged.flatMap((each) => each.scores[name] ?? [])
    const sum = (of: (score: PointScore) => number) => scores.reduce((total, score) => total + of(score), 0)
    const [found, events] = [sum(({ eventsFound }) => eventsFound), sum((score) => score.events)]
    const { low, high } = wilsonInterval(found, events)
    const days = judged.reduce((total, each) => total + each.days, 0)
    return `| ${name} | ${meanF1(judged, name).toFixed(3)} | ${found} of ${events} (${low.toFixed(2)} to ${high.toFixed(2)}) | ${(sum(({ falseAlarms }) => falseAlarms) / days).toFixed(2)} |`
  })
  return ['| detector | F1 | events found | false alarms a day and server |', '|---|---|---|---|', ...lines].join('\n')
}
