import { servicePath } from '../links.ts'
import { Link } from 'wouter'
import { Raw } from '../parts/raw.tsx'
import { ms } from '../tell.ts'
import type { Row } from './tree.ts'

export interface Usual {
  service: string
  operation: string
  calls: number
  p50Ms: number
  p99Ms: number
}

/** What of a run took longer than it usually does, the most first. */
export function excessOf(
  rows: readonly Row[],
  usual: readonly Usual[],
): { row: Row; usual: Usual; excessMs: number }[] {
  const byName = new Map(usual.map((each) => [nameOf(each.service, each.operation), each]))
  return rows
    .flatMap((row) => {
      const { span } = row
      if (span.kind !== 'Server' && span.kind !== 'Consumer') return []
      const known = byName.get(nameOf(span.serviceName, span.name))
      const tookMs = span.durationNs / 1e6
      return known !== undefined && tookMs > known.p50Ms ? [{ row, usual: known, excessMs: tookMs - known.p50Ms }] : []
    })
    .toSorted((a, b) => b.excessMs - a.excessMs)
}

export function nameOf(service: string, operation: string): string {
  return `${service}\u0000${operation}`
}

const shown = 5

export function WhySlow({
  rows,
  usual,
  onSelect,
}: {
  rows: readonly Row[]
  usual: readonly Usual[]
  onSelect: (row: Row) => void
}) {
  const found = excessOf(rows, usual)
  if (usual.length === 0) return <p className="muted">Nothing ran in the hour before, so what is usual is not known.</p>
  if (found.length === 0) return <p className="muted">Nothing took longer than usual.</p>
  return (
    <div className="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Operation</th>
            <th scope="col" className="right">
              Took
            </th>
            <th scope="col" className="right">
              Usual
            </th>
            <th scope="col" className="right">
              Slowest 1 %
            </th>
            <th scope="col" />
          </tr>
        </thead>
        <tbody>
          {found.slice(0, shown).map(({ row, usual: { p50Ms, p99Ms } }) => (
            <tr key={`${row.span.traceId}${row.span.spanId}`}>
              <td>
                <Link href={servicePath(row.span.serviceName)}>
                  <Raw text={row.span.serviceName} most={40} />
                </Link>{' '}
                <Raw text={row.span.name} most={80} />
              </td>
              <td className={`num right nowrap${row.span.durationNs / 1e6 > p99Ms ? ' bad-text' : ''}`}>
                {ms(row.span.durationNs / 1e6)}
              </td>
              <td className="num right nowrap">{ms(p50Ms)}</td>
              <td className="num right nowrap">{ms(p99Ms)}</td>
              <td className="right">
                <button type="button" className="link" onClick={() => onSelect(row)}>
                  show
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
