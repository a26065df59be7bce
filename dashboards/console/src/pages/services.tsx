import { useQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import { dataOf, GET } from '../api/client.ts'
import { servicePath } from '../links.ts'
import { Share } from '../parts/meter.tsx'
import { ErrorNote, Waiting } from '../parts/notes.tsx'
import { Raw } from '../parts/raw.tsx'
import { RangePicker, useRange } from '../parts/time-range.tsx'
import { count, ms } from '../tell.ts'
import { useAddressed } from '../use-addressed.ts'
import { useTitle } from '../use-title.ts'
import { FirstSpan } from './start.tsx'

export default function Services() {
  useTitle('Services')
  const [range] = useRange()
  const [find, setFind] = useAddressed('find')
  const services = useQuery({
    queryKey: ['all services', range.key],
    queryFn: () =>
      dataOf(
        GET('/api/v1/services', {
          params: {
            query: { since: range.since, ...(range.until !== undefined && { until: range.until }), limit: 1_000 },
          },
        }),
      ),
    refetchInterval: 15_000,
  })
  const items = services.data?.items
    .filter(({ service }) => service.toLowerCase().includes(find.trim().toLowerCase()))
    .toSorted((a, b) => b.calls - a.calls)
  return (
    <section className="page">
      <header className="page-head">
        <h1 className="grow">Services</h1>
        <RangePicker />
      </header>
      {services.isError && <ErrorNote error={services.error} retry={() => void services.refetch()} />}
      {services.isPending && <Waiting />}
      {services.data?.items.length === 0 && <FirstSpan />}
      {services.data !== undefined && services.data.items.length > 0 && (
        <div className="card scroll">
          {services.data.items.length > 12 && (
            <input
              type="search"
              className="filter"
              placeholder={`Filter ${services.data.items.length} services`}
              aria-label="Filter services"
              value={find}
              onChange={(event) => setFind(event.target.value)}
            />
          )}
          <table>
            <thead>
              <tr>
                <th scope="col">Service</th>
                <th scope="col">Environment</th>
                <th scope="col" className="right">
                  Calls
                </th>
                <th scope="col">Failed</th>
                <th scope="col" className="right wide-only">
                  p50
                </th>
                <th scope="col" className="right">
                  p95
                </th>
                <th scope="col" className="right wide-only">
                  Operations
                </th>
              </tr>
            </thead>
            <tbody>
              {items?.map((each) => {
                const key = `${each.namespace === '' ? '' : `${encoded(each.namespace)}/`}${encoded(each.service)}${each.environment === '' ? '' : `@${encoded(each.environment)}`}`
                return (
                  <tr key={key}>
                    <td>
                      <Link href={servicePath(key)} data-row>
                        {each.namespace !== '' && <span className="muted">{each.namespace}/</span>}
                        <Raw text={each.service} most={80} />
                      </Link>
                    </td>
                    <td className="muted">
                      <Raw text={each.environment} most={40} empty="–" />
                    </td>
                    <td className="num right">{count(each.calls)}</td>
                    <td>
                      <Share value={each.errors / Math.max(1, each.calls)} />
                    </td>
                    <td className="num right nowrap wide-only">{ms(each.p50Ms)}</td>
                    <td className="num right nowrap">{ms(each.p95Ms)}</td>
                    <td className="num right wide-only">{each.operations.length}</td>
                  </tr>
                )
              })}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}

/** A part of a service's key, as the API writes it. */
function encoded(part: string): string {
  return part.replaceAll('%', '%25').replaceAll('/', '%2F').replaceAll('@', '%40')
}
