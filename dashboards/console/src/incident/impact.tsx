import { Link } from 'wouter'
import type { Schemas } from '../api/client.ts'
import { flowPath, servicePath } from '../links.ts'
import { Share } from '../parts/meter.tsx'
import { Raw } from '../parts/raw.tsx'
import { count, plural, share } from '../tell.ts'

/** Whom it hits: flows and users with their shares, and the services on the way. */
export function Impact({ impact, cause }: { impact: Schemas['Incident']['impact']; cause: string | undefined }) {
  const { flows, missingUnknown = [], users, services, atRisk } = impact
  return (
    <section className="card" aria-labelledby="impact">
      <h2 id="impact">Whom it hits</h2>
      {users.seen > 0 && (
        <p className="big">
          <span className="num">{count(users.affected)}</span> of {plural(users.seen, 'user')} of these flows
          <Share value={users.share} low={users.low} high={users.high} />
        </p>
      )}
      {flows.length > 0 ? (
        <table>
          <thead>
            <tr>
              <th scope="col">Flow</th>
              <th scope="col" className="right">
                Runs hit
              </th>
              <th scope="col">Share</th>
            </tr>
          </thead>
          <tbody>
            {flows.slice(0, 12).map((flow) => (
              <tr key={flow.name}>
                <td>
                  <Link href={flowPath(flow.name)}>
                    <Raw text={flow.name} most={60} />
                  </Link>
                  {flow.missing !== undefined && <Missing missing={flow.missing} />}
                </td>
                <td className="num right nowrap">
                  {count(flow.runsAffected)} <span className="muted">of {count(flow.runs)}</span>
                </td>
                <td>
                  <Share value={flow.share} low={flow.low} high={flow.high} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <p className="muted">No run of a flow is hit so far.</p>
      )}
      {flows.length > 12 && <p className="muted">and {plural(flows.length - 12, 'other flow')}</p>}
      <Unknown flows={missingUnknown} />
      <h3>Services</h3>
      <p className="chips">
        {services.slice(0, 30).map((service) => (
          <Link key={service} href={servicePath(service)} className={service === cause ? 'chip is-cause' : 'chip'}>
            {service === cause && <i aria-hidden="true">◉ </i>}
            <Raw text={service} most={40} />
            {service === cause && <span className="hidden"> (the cause)</span>}
          </Link>
        ))}
        {services.length > 30 && <span className="muted">and {plural(services.length - 30, 'other')}</span>}
      </p>
      <Dependents atRisk={atRisk} />
    </section>
  )
}

/** What did not come of a flow: no run of it can be looked at. */
function Missing({ missing }: { missing: NonNullable<Schemas['Incident']['impact']['flows'][number]['missing']> }) {
  const { runs, low, high, cameLater, expected, seen } = missing
  return (
    <div className="muted">
      about <span className="num">{count(runs)}</span> of them ({count(low)} to {count(high)}) did not come when they
      were due{cameLater > 0 && `, of which ${count(cameLater)} came later`}: {share(1 - seen / Math.max(1, expected))}{' '}
      fewer than expected
    </div>
  )
}

const reasons: Readonly<Record<Unknowns[number]['why'], string>> = {
  'short-past': 'too little is known of the time before',
  'uneven-past': 'they came too unevenly before',
  'few-users': 'few users explain it',
  'unknown-users': 'whose they are is not known',
  sampled: 'only a part of the traces is kept since',
  'not-received': 'not all that was sent was received',
  'other-names': 'as many came under other names',
}

type Unknowns = NonNullable<Schemas['Incident']['impact']['missingUnknown']>

/** Fewer runs than expected, and why nobody can tell whether the incident keeps them away: the words are the vocabulary's. */
function Unknown({ flows }: { flows: Unknowns }) {
  if (flows.length === 0) return null
  return (
    <>
      <h3>Fewer runs than expected, and whether that is its doing cannot be told</h3>
      <ul>
        {flows.slice(0, 5).map(({ flow, expected, seen, why }) => (
          <li key={flow}>
            <Link href={flowPath(flow)}>
              <Raw text={flow} most={60} />
            </Link>{' '}
            <span className="muted">
              {count(seen)} came, {count(expected)} were due: {reasons[why]}
            </span>
          </li>
        ))}
      </ul>
      {flows.length > 5 && <p className="muted">and {plural(flows.length - 5, 'other flow')}</p>}
    </>
  )
}

/** Who depends on the cause and shows nothing yet. */
function Dependents({ atRisk }: { atRisk: Schemas['Incident']['impact']['atRisk'] }) {
  if (atRisk.length === 0) return null
  return (
    <>
      <h3>Not hit yet, and dependent on the cause</h3>
      <p className="chips">
        {atRisk.map(({ service, share: ofCalls }) => (
          <Link key={service} href={servicePath(service)} className="chip">
            <Raw text={service} most={40} /> <span className="muted num">{share(ofCalls)} of its calls</span>
          </Link>
        ))}
      </p>
    </>
  )
}
