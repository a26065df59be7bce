import { useMemo } from 'react'
import { useSearchParams } from 'wouter'
import { clock } from '../tell.ts'

const lasts = [
  ['15m', 15, '15 min'],
  ['1h', 60, '1 h'],
  ['6h', 360, '6 h'],
  ['24h', 1_440, '24 h'],
  ['7d', 10_080, '7 days'],
] as const

export interface Range {
  /** RFC 3339. `until` is absent where the range goes on to now. */
  since: string
  until?: string
  /** Names the range; the same until somebody changes it. */
  key: string
}

/** A range that goes on to now moves this often, and its questions are asked anew. */
const roundMs = 60_000

/** The time that the address says: the last hour, unless it says otherwise. */
export function useRange(): [Range, (fromMs: number, toMs: number) => void] {
  const [search, setSearch] = useSearchParams()
  const since = valid(search.get('since'))
  const until = valid(search.get('until'))
  const last = lasts.find(([name]) => name === search.get('last')) ?? lasts[1]
  const nowMs = Math.floor(Date.now() / roundMs) * roundMs
  const range = useMemo((): Range => {
    if (since !== undefined) return { since, ...(until !== undefined && { until }), key: `${since} ${until ?? ''}` }
    return { since: new Date(nowMs - last[1] * 60_000).toISOString(), key: last[0] }
  }, [since, until, last, nowMs])
  const choose = (fromMs: number, toMs: number) =>
    setSearch((now) => {
      const next = new URLSearchParams(now)
      next.delete('last')
      next.set('since', new Date(fromMs).toISOString())
      next.set('until', new Date(toMs).toISOString())
      return next
    })
  return [range, choose]
}

function valid(time: string | null): string | undefined {
  return time === null || Number.isNaN(Date.parse(time)) ? undefined : time
}

export function RangePicker() {
  const [search, setSearch] = useSearchParams()
  const since = valid(search.get('since'))
  const until = valid(search.get('until'))
  const last = search.get('last') ?? '1h'
  return (
    <div className="row" role="group" aria-label="Time">
      {since !== undefined && (
        <span className="num">
          {clock(since)} – {until === undefined ? 'now' : clock(until)}
        </span>
      )}
      {lasts.map(([name, , words]) => (
        <button
          key={name}
          type="button"
          className="small"
          aria-pressed={since === undefined && last === name}
          onClick={() =>
            setSearch((now) => {
              const next = new URLSearchParams(now)
              next.delete('since')
              next.delete('until')
              next.set('last', name)
              return next
            })
          }
        >
          {words}
        </button>
      ))}
    </div>
  )
}
