import { Link } from 'wouter'
import { flowPath } from '../links.ts'
import { Share } from '../parts/meter.tsx'
import { ErrorNote, Waiting } from '../parts/notes.tsx'
import { Raw } from '../parts/raw.tsx'
import { RangePicker, useRange } from '../parts/time-range.tsx'
import { count, ms } from '../tell.ts'
import { useAddressed } from '../use-addressed.ts'
import { useTitle } from '../use-title.ts'
import { FirstSpan } from './start.tsx'
import { useFlows } from './use-flows.ts'

export default function Flows() {
  useTitle('Flows')
  const [range] = useRange()
  const [find, setFind] = useAddressed('find')
  const flows = useFlows({ since: range.since, ...(range.until !== undefined && { until: range.until }) })
  const items = flows.data?.items.filter(({ name }) => name.toLowerCase().includes(find.trim().toLowerCase()))
  return (
    <section className="page">
      <header className="page-head">
        <h1 className="grow">Flows</h1>
        <RangePicker />
      </header>
      {flows.isError && <ErrorNote error={flows.error} retry={() => void flows.refetch()} />}
      {flows.isPending && <Waiting />}
      {flows.data?.items.length === 0 && <FirstSpan />}
      {flows.data !== undefined && flows.data.items.length > 0 && (
        <div className="card scroll">
          {flows.data.items.length > 12 && (
            <input
              type="search"
              className="filter"
              placeholder={`Filter ${flows.data.items.length} flows`}
              aria-label="Filter flows"
              value={find}
              onChange={(event) => setFind(event.target.value)}
            />
          )}
          <table>
            <thead>
              <tr>
                <th scope="col">Flow</th>
                <th scope="col" className="right">
                  Runs
                </th>
                <th scope="col">Failed</th>
                <th scope="col" className="right">
                  Users
                </th>
                <th scope="col" className="right wide-only">
                  p50
                </th>
                <th scope="col" className="right">
                  p95
                </th>
                <th scope="col" className="wide-only">
                  Services
                </th>
              </tr>
            </thead>
            <tbody>
              {items?.map((flow) => (
                <tr key={flow.name}>
                  <td>
                    <Link href={flowPath(flow.name)} data-row>
                      <Raw text={flow.name} most={100} empty="(no name)" />
                    </Link>
                  </td>
                  <td className="num right">{count(flow.runs)}</td>
                  <td>
                    <Share value={flow.failed / Math.max(1, flow.runs)} />
                  </td>
                  <td className="num right">{count(flow.users)}</td>
                  <td className="num right nowrap wide-only">{ms(flow.p50Ms)}</td>
                  <td className="num right nowrap">{ms(flow.p95Ms)}</td>
                  <td className="muted wide-only">
                    <Raw text={flow.services.join(', ')} most={80} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}
