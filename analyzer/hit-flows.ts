// The flows that are hit, by runs that came and went wrong and by runs that did not come.
import type { FlowImpact } from '@headwater/store'
import { type Impact, type MissingRuns, withInterval } from '@headwater/vocabulary'

/** The most flows that are told; those with most runs that are hit come first. */
const flowsMax = 200

/** Adds what is missing to the runs and to those that are affected. What came later than due is among the runs already. */
export function hitFlows(flows: readonly FlowImpact[], missing: ReadonlyMap<string, MissingRuns>): Impact['flows'] {
  const seen = new Set(flows.map(({ name }) => name))
  const onlyMissing = [...missing]
    .filter(([name]) => !seen.has(name))
    .map(([name, { seen: runs }]) => ({ name, runs, runsAffected: 0, counted: runs }))
  return [...flows, ...onlyMissing]
    .map((flow) => hitFlow(flow, missing.get(flow.name)))
    .toSorted((a, b) => b.runsAffected - a.runsAffected || (a.name < b.name ? -1 : 1))
    .slice(0, flowsMax)
}

function hitFlow(flow: FlowImpact, missing: MissingRuns | undefined): Impact['flows'][number] {
  const { name, runs: cameRuns, counted } = flow
  const wrong = Math.round(flow.runsAffected)
  const came = withInterval(wrong, cameRuns, counted)
  if (missing === undefined) return { name, runs: cameRuns, runsAffected: wrong, ...came }
  const withMissing = (affected: number, lacking: number): { affected: number; runs: number } => {
    const runs = cameRuns + Math.max(0, lacking - missing.cameLater)
    return { affected: Math.min(runs, affected + lacking), runs }
  }
  const { affected, runs } = withMissing(wrong, missing.runs)
  return {
    name,
    runs,
    runsAffected: affected,
    share: shareOf({ affected, runs }),
    low: shareOf(withMissing(came.low * cameRuns, missing.low)),
    high: shareOf(withMissing(came.high * cameRuns, missing.high)),
    missing,
  }
}

function shareOf({ affected, runs }: { affected: number; runs: number }): number {
  return runs === 0 ? 0 : Math.round((affected / runs) * 1_000) / 1_000
}
