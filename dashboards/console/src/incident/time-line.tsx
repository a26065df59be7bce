import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { Schemas } from '../api/client.ts'
import { incidentPath } from '../links.ts'
import { Raw } from '../parts/raw.tsx'
import { Time } from '../parts/time.tsx'
import { measured, plural } from '../tell.ts'

type Incident = Schemas['Incident']
type Alert = Schemas['IncidentAlert']

interface Entry {
  at: string
  kind: 'change' | 'anomaly' | 'state' | 'comment' | 'alert'
  sign: string
  text: ReactNode
}

/** Series that departed at one moment are told together; the first few by name. */
const namedMax = 3
/** Later moments at which further series departed are folded: they follow from the first. */
const momentsMax = 3

/** Everything that happened, in the order in which it did. */
export function TimeLine({ incident, alerts }: { incident: Incident; alerts: readonly Alert[] }) {
  const entries = [...entriesOf(incident), ...alertEntries(alerts)].toSorted((a, b) => (a.at < b.at ? -1 : 1))
  return (
    <ol className="time-line">
      {entries.map((entry, i) => (
        <li key={`${entry.at} ${i}`} className={entry.kind}>
          <Time at={entry.at} />
          <i aria-hidden="true">{entry.sign}</i>
          <div>{entry.text}</div>
        </li>
      ))}
    </ol>
  )
}

function entriesOf(incident: Incident): Entry[] {
  const entries: Entry[] = [
    { at: incident.openedAt, kind: 'state', sign: '▲', text: 'Headwater opened this incident' },
    ...incident.changes.map((change): Entry => ({
      at: change.at,
      kind: 'change',
      sign: '⟳',
      text: (
        <>
          {change.kind === 'version' ? 'a new version' : change.kind} of <Raw text={change.service} most={60} />
          {change.version !== null && (
            <>
              : <Raw text={change.version} most={60} />
            </>
          )}
          {change.description !== null && (
            <>
              {' '}
              – <Raw text={change.description} most={300} />
            </>
          )}
        </>
      ),
    })),
    ...anomalies(incident.anomalies),
    ...incident.reopened.map(({ at, why }): Entry => ({
      at,
      kind: 'state',
      sign: '▲',
      text: (
        <>
          it came back: <Raw text={why} most={300} />
        </>
      ),
    })),
    ...incident.comments.map(({ at, by, text }): Entry => ({
      at,
      kind: 'comment',
      sign: '“',
      text: (
        <>
          <strong>
            <Raw text={by} most={60} />
          </strong>
          <span className="comment">
            <Raw text={text} most={4_000} />
          </span>
        </>
      ),
    })),
  ]
  const { acknowledged, verdict, resolvedAt } = incident
  if (acknowledged !== null) {
    entries.push({
      at: acknowledged.at,
      kind: 'state',
      sign: '◆',
      text: <By name={acknowledged.by} did="looks after it" />,
    })
  }
  if (verdict !== null) {
    entries.push({
      at: verdict.at,
      kind: 'state',
      sign: verdict.cause === 'right' ? '✓' : '✕',
      text: <By name={verdict.by} did={`says that the cause was ${verdict.cause}`} />,
    })
  }
  if (resolvedAt !== null) {
    entries.push({
      at: resolvedAt,
      kind: 'state',
      sign: '✓',
      text: <End incident={incident} />,
    })
  }
  return entries
}

const told: Readonly<Record<Alert['change'], string>> = {
  opened: 'was told of it',
  updated: 'was told what is new',
  acknowledged: 'was told who looks after it',
  resolved: 'was told that it is over',
}

/** Who was told what; a message that did not arrive says so, since then nobody may be on the way. */
function alertEntries(alerts: readonly Alert[]): Entry[] {
  return alerts.map((alert) => ({ at: alert.at, kind: 'alert', sign: '✉', text: <Told alert={alert} /> }))
}

function Told({ alert: { destination, change, state, reason, attempts } }: { alert: Alert }) {
  const whom = <Raw text={destination} most={60} />
  if (state === 'delivered') {
    return (
      <>
        {whom} {told[change]}
      </>
    )
  }
  if (state === 'waiting' && attempts === 0) return <>{whom} is about to be told</>
  return (
    <span className="bad-text">
      {whom}{' '}
      {state === 'dead' ? 'could not be told, which was given up' : 'could not be told yet, which is tried again'} (
      {plural(attempts, 'attempt')}: <Raw text={reason} most={300} />)
    </span>
  )
}

function End({ incident: { resolvedBy, mergedInto } }: { incident: Incident }) {
  if (resolvedBy !== null) return <By name={resolvedBy} did="resolved it" />
  if (mergedInto === null) return <>it ended by itself</>
  return (
    <>
      it is part of <Link href={incidentPath(mergedInto)}>an older incident</Link>, which has the same cause
    </>
  )
}

function By({ name, did }: { name: string; did: string }) {
  return (
    <>
      <strong>
        <Raw text={name} most={60} />
      </strong>{' '}
      {did}
    </>
  )
}

const words: Readonly<Record<Incident['anomalies'][number]['signal'], string>> = {
  errors: 'fails more often',
  'origin-errors': 'fails by itself',
  latency: 'is slower',
  'self-time': 'works longer itself',
  'wire-time': 'takes longer on the way',
  'fan-out': 'calls another number of times',
  'cache-misses': 'has lost what it knew',
  logs: 'logs something else',
  silence: 'falls silent',
  traffic: 'is called less often than usual',
  unanswered: 'does not answer',
}

function anomalies(all: Incident['anomalies']): Entry[] {
  const moments = [...Map.groupBy(all, ({ since }) => since)].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const first = moments.slice(0, momentsMax).map(([at, found]): Entry => {
    const named = found.toSorted((a, b) => a.pValue - b.pValue).slice(0, namedMax)
    return {
      at,
      kind: 'anomaly',
      sign: '●',
      text: (
        <>
          {named.map((anomaly) => (
            <Departure key={keyOf(anomaly)} anomaly={anomaly} />
          ))}
          {found.length > namedMax && <span className="muted">and {found.length - namedMax} more series</span>}
        </>
      ),
    }
  })
  const later = moments.slice(momentsMax)
  const [from] = later[0] ?? []
  if (from === undefined) return first
  const found = later.flatMap(([, each]) => each)
  const text = (
    <details>
      <summary>{found.length} more series departed from here on</summary>
      {found.slice(0, laterMax).map((anomaly) => (
        <Departure key={keyOf(anomaly)} anomaly={anomaly} hasTime />
      ))}
    </details>
  )
  return [...first, { at: from, kind: 'anomaly', sign: '●', text }]
}

const laterMax = 200

function keyOf({ service, operation, signal, caller, callerOperation }: Incident['anomalies'][number]): string {
  return JSON.stringify([service, operation, signal, caller, callerOperation])
}

function Departure({ anomaly, hasTime = false }: { anomaly: Incident['anomalies'][number]; hasTime?: boolean }) {
  return (
    <div>
      {hasTime && (
        <>
          <Time at={anomaly.since} />{' '}
        </>
      )}
      <Raw text={anomaly.service} most={40} /> <Raw text={anomaly.operation} most={60} /> {words[anomaly.signal]}:{' '}
      <span className="num">{measured(anomaly.seen, anomaly.unit, anomaly.signal)}</span>
      <span className="muted">, expected {measured(anomaly.expected, anomaly.unit, anomaly.signal)}</span>
    </div>
  )
}
