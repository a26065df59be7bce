import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { dataOf, GET, type Schemas } from '../api/client.ts'
import { ms, rate, share } from '../tell.ts'
import { Chart, type Mark } from './chart.tsx'
import { Empty, ErrorNote, Waiting } from './notes.tsx'
import type { Range } from './time-range.tsx'

export interface TrafficOf {
  service?: string
  operation?: string
  flow?: string
}

export function useTraffic(of: TrafficOf, { since, until, key }: Range) {
  return useQuery({
    queryKey: ['traffic', of, key],
    queryFn: () =>
      dataOf(GET('/api/v1/traffic', { params: { query: { ...of, since, ...(until !== undefined && { until }) } } })),
    refetchInterval: until === undefined ? 15_000 : false,
  })
}

/** Rate, errors and latency over time, one below the other's time. */
export function TrafficCharts({
  of,
  range,
  marks,
  onChoose,
}: {
  of: TrafficOf
  range: Range
  marks: Mark[]
  onChoose: (fromMs: number, toMs: number) => void
}) {
  const traffic = useTraffic(of, range)
  const filled = useMemo(() => (traffic.data === undefined ? undefined : steps(traffic.data)), [traffic.data])
  if (traffic.isError) return <ErrorNote error={traffic.error} retry={() => void traffic.refetch()} />
  if (traffic.data === undefined || filled === undefined) return <Waiting what="Reading its calls" />
  if (traffic.data.points.length === 0) {
    return (
      <Empty title="No calls in this time">
        <p>Choose a longer time above.</p>
      </Empty>
    )
  }
  const { seconds, points } = filled
  const { stepSeconds } = traffic.data
  const shared = { seconds, marks, onChoose }
  return (
    <div className="charts">
      <Chart
        {...shared}
        title="Calls"
        told={rate}
        lines={[
          {
            name: 'calls',
            colour: '--accent',
            isFilled: true,
            values: points.map((point) => (point?.calls ?? 0) / stepSeconds),
          },
        ]}
      />
      <Chart
        {...shared}
        title="Failed"
        told={share}
        lines={[
          {
            name: 'failed',
            colour: '--bad',
            isFilled: true,
            values: points.map((point) =>
              point === undefined || point.calls === 0 ? null : point.errors / point.calls,
            ),
          },
        ]}
      />
      <Chart
        {...shared}
        title="Latency"
        told={ms}
        lines={[
          { name: 'p99', colour: '--muted', isDashed: true, values: points.map((point) => point?.p99Ms ?? null) },
          { name: 'p95', colour: '--warn', values: points.map((point) => point?.p95Ms ?? null) },
          { name: 'p50', colour: '--accent', values: points.map((point) => point?.p50Ms ?? null) },
        ]}
      />
    </div>
  )
}

type Traffic = Schemas['Traffic']

/** Every step of the window, those without calls too: nothing is not the same as what was before it. */
function steps({ since, until, stepSeconds, points }: Traffic) {
  const byStep = new Map(points.map((point) => [Date.parse(point.at) / 1_000, point]))
  const [known] = byStep.keys()
  const offset = (known ?? 0) % stepSeconds
  const first = Math.ceil((Date.parse(since) / 1_000 - offset) / stepSeconds) * stepSeconds + offset
  const last = Date.parse(until) / 1_000
  const seconds: number[] = []
  // The step that is not over yet would show a fall that is none.
  for (let at = first; at + stepSeconds <= last; at += stepSeconds) seconds.push(at)
  return { seconds, points: seconds.map((at) => byStep.get(at)) }
}
