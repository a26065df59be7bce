import { Link } from 'wouter'
import type { Schemas } from '../api/client.ts'
import { flowPath, servicePath } from '../links.ts'
import { Share } from '../parts/meter.tsx'
import { Raw } from '../parts/raw.tsx'
import { count, plural, share } from '../tell.ts'

/** Whom it hits: flows and users with their shares, and the services on the way. */
export function Impact({ impact, cause }: { impact: Schemas['Incident']['impact']; cause: string | undefined }) {
  const { flows, users, services, atRisk } = impact
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
