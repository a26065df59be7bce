import { useEffect, useState } from 'react'
import { clock, fullTime, span } from '../tell.ts'

/** A point in time, to the second; the whole of it on hover. */
export function Time({ at }: { at: string | number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={fullTime(at)}>
      {clock(at)}
    </time>
  )
}

/** How long it has lasted, counted on. */
export function Since({ from, to }: { from: string; to?: string | null | undefined }) {
  const [nowMs, setNow] = useState(Date.now)
  useEffect(() => {
    if (to !== null && to !== undefined) return undefined
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [to])
  return (
    <span className="num">{span((to === null || to === undefined ? nowMs : Date.parse(to)) - Date.parse(from))}</span>
  )
}
