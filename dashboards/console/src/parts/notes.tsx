import type { ReactNode } from 'react'
import { Failure } from '../api/client.ts'
import { visible } from './raw.tsx'

/** Something is on its way; drawn late, so that quick answers do not flicker. */
export function Waiting({ what = 'Reading' }: { what?: string }) {
  return (
    <p className="waiting" role="status">
      {what}…
    </p>
  )
}

/** What went wrong, and what to do about it. */
export function ErrorNote({ error, retry }: { error: unknown; retry?: () => void }) {
  const failure = error instanceof Failure ? error : undefined
  return (
    <div className="note error" role="alert">
      <strong>{titleOf(failure?.status)}</strong>
      <p>{visible(error instanceof Error ? error.message : String(error))}</p>
      <p className="muted">{adviceOf(failure)}</p>
      {retry !== undefined && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  )
}

function titleOf(status: number | undefined): string {
  if (status === undefined) return 'The console failed here'
  if (status === 0) return 'No answer'
  if (status === 404) return 'Not found'
  if (status === 503) return 'Headwater is busy, or one of its engines is away'
  if (status < 500) return 'This cannot be answered as it was asked'
  return 'Headwater failed'
}

function adviceOf(failure: Failure | undefined): string {
  if (failure === undefined)
    return 'The rest still works. If it happens again, please report it with the address above.'
  if (failure.status === 0) return 'See whether `headwater up` still runs; /livez answers as soon as it does.'
  if (failure.status === 404) return 'Traces are kept for the time that HEADWATER_RETENTION says, 30 days by default.'
  if (failure.status === 503)
    return 'It usually passes within seconds. /readyz tells which engine is away; a shorter time is quicker to read.'
  if (failure.requestId !== undefined && failure.status >= 500)
    return `Its log tells more under request ${failure.requestId}.`
  return ''
}

/** Nothing is here: why, and what would bring something. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="note empty">
      <strong>{title}</strong>
      {children}
    </div>
  )
}
