// The page that an alert links to. Top to bottom in the order of the questions: what happened, where it started and why we
// think so, whom it hits, what happened when, and what to look at next.
import { useQuery } from '@tanstack/react-query'
import { Fragment, useEffect } from 'react'
import { Link } from 'wouter'
import { dataOf, GET, type Schemas } from '../api/client.ts'
import { useLive } from '../api/live.ts'
import { CommentForm, Deeds, VerdictForm } from '../incident/deeds.tsx'
import { EvidenceItem } from '../incident/evidence.tsx'
import { Examples } from '../incident/examples.tsx'
import { Impact } from '../incident/impact.tsx'
import { CausePath } from '../incident/path.tsx'
import { TimeLine } from '../incident/time-line.tsx'
import { incidentPath, query, servicePath } from '../links.ts'
import { ErrorNote, Waiting } from '../parts/notes.tsx'
import { Raw } from '../parts/raw.tsx'
import { State } from '../parts/state.tsx'
import { Since, Time } from '../parts/time.tsx'
import { plural, share, span } from '../tell.ts'
import { useTitle } from '../use-title.ts'

export function Incident({ id }: { id: string }) {
  const incident = useQuery({
    queryKey: ['incident', id],
    queryFn: () => dataOf(GET('/api/v1/incidents/{id}', { params: { path: { id } } })),
    refetchInterval: ({ state }) => (state.data?.state === 'resolved' ? 30_000 : 5_000),
  })
  // The map learns of a change first; whoever looks at this incident should not wait for the next question.
  const updatedAt = useLive().snapshot?.incidents.find((each) => each.id === id)?.updatedAt
  const { refetch, data } = incident
  const isNewer = updatedAt !== undefined && data !== undefined && updatedAt > data.updatedAt
  useEffect(() => {
    if (isNewer) void refetch()
  }, [isNewer, refetch])
  useTitle(data === undefined ? 'Incident' : `${data.state === 'open' ? '▲ ' : ''}${data.title}`)

  if (data === undefined) {
    return (
      <section className="page">
        {incident.isError ? (
          <ErrorNote error={incident.error} retry={() => void refetch()} />
        ) : (
          <Waiting what="Reading the incident" />
        )}
      </section>
    )
  }
  return <Told incident={data} parts={data.parts} alerts={data.alerts} />
}

function Told({
  incident,
  parts,
  alerts,
}: {
  incident: Schemas['Incident']
  parts: Part[]
  alerts: Schemas['IncidentAlert'][]
}) {
  const [first, ...others] = incident.causes
  const { state, acknowledged } = incident
  return (
    <article className="page incident">
      <header>
        <p className="above">
          <State state={state === 'resolved' ? 'resolved' : acknowledged === null ? 'open' : 'acknowledged'} />
          <span>
            since <Time at={incident.since} />, for <Since from={incident.since} to={incident.resolvedAt} />
          </span>
          <span className="muted">
            noticed after {span(Date.parse(incident.openedAt) - Date.parse(incident.since))}
            {incident.reopenings > 0 && `, came back ${plural(incident.reopenings, 'time')}`}
          </span>
          {incident.mergedInto !== null && (
            <span>
              part of <Link href={incidentPath(incident.mergedInto)}>an older incident</Link> since
            </span>
          )}
          {acknowledged !== null && (
            <span>
              <Raw text={acknowledged.by} most={60} /> looks after it
            </span>
          )}
        </p>
        <h1>
          <Raw text={incident.title} most={300} />
        </h1>
        <p className="lead">{leadOf(incident)}</p>
        <Parts parts={parts} />
        <Deeds key={incident.id} incident={incident} />
      </header>

      <div className="columns">
        <div>
          <section className="card" aria-labelledby="cause">
            <h2 id="cause">Where it started</h2>
            {first === undefined ? (
              <p>
                No cause is told: <Raw text={incident.noCauseReason} most={600} empty="nothing explains it so far" />
              </p>
            ) : (
              <>
                <Verdict cause={first} confidence={incident.confidence} />
                <CausePath cause={first} />
                <ul className="evidences">
                  {first.evidence.map((evidence) => (
                    <EvidenceItem key={evidence.sentence} evidence={evidence} since={incident.since} />
                  ))}
                </ul>
                <p>
                  <Link href={`/${query({ incident: incident.id })}`}>Show it on the map</Link> ·{' '}
                  <Link href={servicePath(first.service, { operation: first.operation })}>
                    Look at <Raw text={first.service} most={60} />
                  </Link>
                </p>
                <VerdictForm incident={incident} />
              </>
            )}
          </section>
          <section className="card" aria-labelledby="time-line">
            <h2 id="time-line">What happened when</h2>
            <TimeLine incident={incident} alerts={alerts} />
            <CommentForm key={incident.id} incident={incident} />
          </section>
        </div>
        <div>
          <Impact impact={incident.impact} cause={first?.service} />
          <Examples incident={incident} />
          {others.length > 0 && <OtherCauses causes={others} since={incident.since} />}
        </div>
      </div>
    </article>
  )
}

/** The incident in one sentence, for who reads nothing else. */
type Part = Schemas['IncidentPart']

/** Incidents that are told by this one, with what people have said of them. */
function Parts({ parts }: { parts: Part[] }) {
  if (parts.length === 0) return null
  return (
    <ul className="plain">
      {parts.map(({ id, title, acknowledged, comments }) => (
        <li key={id}>
          with{' '}
          <Link href={incidentPath(id)}>
            <Raw text={title} most={120} />
          </Link>
          , which has the same cause
          {acknowledged !== null && (
            <>
              ; <Raw text={acknowledged.by} most={60} /> looks after it
            </>
          )}
          {comments > 0 && `; ${plural(comments, 'comment')}`}
        </li>
      ))}
    </ul>
  )
}

function leadOf({ impact, state }: Schemas['Incident']): string {
  const runs = impact.flows.reduce((sum, { runsAffected }) => sum + runsAffected, 0)
  const verb = state === 'open' ? 'are hit' : 'were hit'
  const whom = [
    `${plural(runs, 'run')} of ${plural(impact.flows.length, 'flow')}`,
    ...(impact.users.affected > 0 ? [`${plural(impact.users.affected, 'user')} (${share(impact.users.share)})`] : []),
  ]
  return `${whom.join(' and ')} ${verb}; ${plural(impact.services.length, 'service')} ${state === 'open' ? 'show' : 'showed'} it.`
}

const kinds: Readonly<Record<Schemas['Cause']['kind'], string>> = {
  errors: 'fails by itself',
  latency: 'got slow in its own work',
  unavailable: 'does not answer',
  dependency: 'waits for, or fails with, a peer that sends no spans',
}

function Verdict({ cause, confidence }: { cause: Schemas['Cause']; confidence: number }) {
  return (
    <div className="cause">
      <p className="big">
        <strong>
          <Raw text={cause.service} most={80} />
        </strong>{' '}
        <Raw text={cause.operation} most={120} /> {kinds[cause.kind]}
      </p>
      <dl className="facts">
        <div>
          <dt>Confidence</dt>
          <dd className="num">{share(confidence)}</dd>
        </div>
        <div>
          <dt title="Its share of the weights of all suspects: bad calls that nobody else explains, over all calls to a power">
            Weight
          </dt>
          <dd className="num">{share(cause.score)}</dd>
        </div>
        {cause.replay !== undefined && (
          <div>
            <dt title="Runs that went wrong, played again without what it did to them">Well without it</dt>
            <dd className="num" title={`${share(cause.replay.low)} to ${share(cause.replay.high)} of all such runs`}>
              {cause.replay.mended} of {plural(cause.replay.runs, 'run')}
            </dd>
          </div>
        )}
        {cause.attribute !== undefined && (
          <div className="wide">
            <dt>What tells bad calls from good ones</dt>
            <dd>
              {[cause.attribute, ...(cause.attribute.and ?? [])].map(({ name, value }, at) => (
                <Fragment key={name}>
                  {at > 0 && ' and '}
                  <code>
                    <Raw text={name} most={80} /> = <Raw text={value} most={120} />
                  </code>
                </Fragment>
              ))}{' '}
              <span className="muted">{told(cause.attribute)}</span>
            </dd>
          </div>
        )}
      </dl>
    </div>
  )
}

/** How much worse the calls are that have it. Incidents of earlier versions tell no interval. */
function told({ badShare, low, high, goodShare, lift }: NonNullable<Schemas['Cause']['attribute']>): string {
  const between = low === undefined || high === undefined ? '' : ` (${share(low)} to ${share(high)})`
  const times = lift === undefined ? '' : `: ${lift} times as often as all`
  return `${share(badShare)}${between} of its calls are bad, ${share(goodShare)} of the others${times}`
}

function OtherCauses({ causes, since }: { causes: Schemas['Cause'][]; since: string }) {
  return (
    <section className="card" aria-labelledby="others">
      <h2 id="others">Less likely causes</h2>
      {causes.map((cause) => (
        <details key={`${cause.service} ${cause.operation} ${cause.kind} ${cause.peer ?? ''}`}>
          <summary>
            <span className="grow">
              <strong>
                <Raw text={cause.service} most={60} />
              </strong>{' '}
              <Raw text={cause.operation} most={80} />{' '}
              <span className="muted">
                {kinds[cause.kind]}
                {cause.peer !== undefined && (
                  <>
                    : <Raw text={cause.peer} most={60} />
                  </>
                )}
              </span>
            </span>
            <span className="num">{share(cause.score)} of the weight</span>
          </summary>
          <CausePath cause={cause} />
          <ul className="evidences">
            {cause.evidence.map((evidence) => (
              <EvidenceItem key={evidence.sentence} evidence={evidence} since={since} />
            ))}
          </ul>
        </details>
      ))}
    </section>
  )
}
