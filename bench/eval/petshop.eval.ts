// PetShop: who is to blame where only metrics of components and the graph of their calls are known.
import { type Aspect, type Component, explainBreach } from '@headwater/analyzer'
import type { Evaluation, Source } from './evaluation.ts'
import { baroScorer, deepestAnomalous, mostAbnormal } from './petshop/baselines.ts'
import { constructCases, randomFrom } from './petshop/constructed.ts'
import { intervalMs, type Issue, readScenarios, type Scenario } from './petshop/read.ts'
import { hitsAt, hitTable, rankTable, shareRow } from './ranking.ts'
import { type Judged, reliabilityTable } from './reliability.ts'
import { wilsonInterval } from './wilson.ts'

/** Published for the rule |z| ≥ 3 without tuning, over all 68 issues. */
const floor = { at1: 0.265, at3: 0.471 }

export const source: Source = { dataSet: 'petshop' }

export const evaluation: Evaluation = async ({ folder, tell }) => {
  const scenarios = await readScenarios(await folder('petshop'))
  const judged = scenarios.flatMap((scenario) => scenario.issues.map((issue, at) => judgeIssue(scenario, issue, at)))
  tell(rankTable(judged))
  tell(rankTable(judged.map((each) => ({ ...each, kind: each.kind.replace(/.* /, '') }))))
  tell(`Confidence, over the issues:\n\n${reliabilityTable(judged)}`)
  tell(specificityTable(scenarios))
  const constructed = scenarios.flatMap(judgeConstructed)
  tell(`Faults written into fault-free weeks:\n\n${hitTable(constructed)}\n\n${blameTable(constructed)}`)
  tell(`Confidence, over the written faults:\n\n${reliabilityTable(constructed)}`)
  const rowOf = (id: string, k: number, goal: number, reached: number) => ({
    ...shareRow({ id, set: 'petshop', measure: `A@${k}`, goal, floor: '' }, judged, (ranking, culprits) =>
      hitsAt(ranking, culprits, k),
    ),
    floor: reached,
  })
  return [rowOf('petshop_at1', 1, 0.9, floor.at1), rowOf('petshop_at3', 3, 1, floor.at3)]
}

function judgeIssue({ name, graph, faultFree }: Scenario, issue: Issue, at: number): Judged {
  const { entry, aspect, alertMs, measured, culprit } = issue
  const components = [...new Set([...measured.keys(), ...(faultFree?.keys() ?? [])])].map((component): Component => {
    const shown = measured.get(component) ?? []
    return {
      name: component,
      before: [...(faultFree?.get(component) ?? []), ...shown.filter(({ startMs }) => startMs + intervalMs <= alertMs)],
      now: shown.filter(({ startMs }) => startMs + intervalMs > alertMs),
    }
  })
  const shown = components.map((component) => ({ ...component, now: measured.get(component.name) ?? [] }))
  const { ranking, ...told } = judge(entry, aspect, components, graph)
  return {
    ...told,
    name: `${name} ${at}`,
    kind: `${name} ${wordOf(aspect)}`,
    culprits: [culprit],
    rankings: {
      ours: ranking,
      'most abnormal': mostAbnormal(components, aspect),
      'deepest anomalous': deepestAnomalous({ entry, aspect, shown, graph }),
      'BARO scorer': baroScorer(components),
    },
  }
}

function judge(
  entry: string,
  aspect: Aspect,
  components: readonly Component[],
  graph: Scenario['graph'],
): { ranking: string[]; remark: string; confidence?: number } {
  const told = explainBreach({ entry, aspect, components, graph })
  if (told.state === 'not enough data') return { ranking: [], remark: `not enough data: ${told.reason}` }
  return {
    ranking: [...new Set(told.causes.map(({ service }) => service))],
    remark: `confidence ${told.confidence.toFixed(2)}`,
    confidence: told.confidence,
  }
}

function wordOf(aspect: Aspect): string {
  return aspect === 'errors' ? 'availability' : 'latency'
}

/** How long a fault-free time is looked at, as after an alert. */
const shownIntervals = 4

/** How often a cause would be named for an alert in a fault-free time, which is judged by the time before it. */
function specificityTable(scenarios: readonly Scenario[]): string {
  const lines = scenarios.flatMap(({ name, faultFree, graph, issues }) => {
    if (faultFree === undefined) return []
    const targets = new Map(issues.map(({ entry, aspect }) => [`${entry} ${aspect}`, { entry, aspect }]))
    return [...targets.values()].map(({ entry, aspect }) => {
      const length = faultFree.get(entry)?.length ?? 0
      const named: string[] = []
      let namedByOther = 0
      let n = 0
      for (let from = Math.floor(length / 2); from + shownIntervals <= length; from += shownIntervals) {
        const components = [...faultFree].map(([component, series]) => ({
          name: component,
          before: series.slice(0, from),
          now: series.slice(from, from + shownIntervals),
        }))
        n += 1
        named.push(...judge(entry, aspect, components, graph).ranking.slice(0, 1))
        if (deepestAnomalous({ entry, aspect, shown: withPast(components), graph }).length > 0) namedByOther += 1
      }
      const { low, high } = wilsonInterval(named.length, n)
      return `| ${name} ${wordOf(aspect)} | ${n} | ${named.length} | ${low.toFixed(3)} to ${high.toFixed(3)} | ${counted(named)} | ${namedByOther} |`
    })
  })
  return [
    'An alert in a fault-free time, every 20 minutes of the second half:',
    '',
    '| scenario | alerts | a cause named | 95 % | whom | by deepest anomalous |',
    '|---|---|---|---|---|---|',
    ...lines,
  ].join('\n')
}

/** Two intervals of the past first: the rule of the deepest anomalous looks from the third on. */
function withPast(components: readonly Component[]): Component[] {
  return components.map((component) => ({ ...component, now: [...component.before.slice(-2), ...component.now] }))
}

/** Each value with how often it occurs, the most frequent first. */
function counted(values: readonly string[]): string {
  return [...Map.groupBy(values, (value) => value)]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([value, { length }]) => `${value} ${length}`)
    .join(', ')
}

/** Who was the culprit, and who was named instead. */
function blameTable(cases: readonly Judged[]): string {
  const wrong = cases.filter(({ rankings, culprits }) => !hitsAt(rankings['ours'] ?? [], culprits, 1))
  const lines = [...Map.groupBy(wrong, ({ culprits }) => culprits.join(', '))]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([culprit, missed]) => {
      const all = cases.filter(({ culprits }) => culprits.join(', ') === culprit).length
      const named = counted(missed.map(({ rankings }) => rankings['ours']?.[0] ?? 'not enough data'))
      return `| ${culprit} | ${missed.length} of ${all} | ${named} |`
    })
  return ['| culprit | missed | named instead |', '|---|---|---|', ...lines].join('\n')
}

/** How much the entry suffers: its time grows by a part of itself, such a share of its calls fails. */
const rises = { latency: [0.15, 0.3, 0.5, 1], errors: [0.03, 0.05, 0.1] } as const

/** Below so many calls in an interval a component is nearly idle. */
const busyCallsMin = 50

function judgeConstructed({ name, graph, faultFree, issues }: Scenario): Judged[] {
  const [issue] = issues
  if (faultFree === undefined || issue === undefined) return []
  const { entry } = issue
  return constructCases({ entry, graph, faultFree, rises, momentsPerCulprit: 10, random: randomFrom(1) }).map(
    ({ culprit, aspect, components }, at) => {
      const { ranking, ...told } = judge(entry, aspect, components, graph)
      const series = faultFree.get(culprit) ?? []
      const isBusy = series.reduce((sum, { calls }) => sum + calls, 0) >= busyCallsMin * series.length
      return {
        ...told,
        name: `${name} written ${at}`,
        kind: `${wordOf(aspect)}, ${isBusy ? 'busy' : 'nearly idle'} culprit`,
        culprits: [culprit],
        rankings: {
          ours: ranking,
          'most abnormal': mostAbnormal(components, aspect),
          'deepest anomalous': deepestAnomalous({ entry, aspect, shown: withPast(components), graph }),
          'BARO scorer': baroScorer(components),
        },
      }
    },
  )
}
