import { useQuery } from '@tanstack/react-query'
import { dataOf, GET } from '../api/client.ts'
import { Share } from '../parts/meter.tsx'
import { ErrorNote, Waiting } from '../parts/notes.tsx'
import { Raw } from '../parts/raw.tsx'
import { count } from '../tell.ts'
import type { Choice } from './heat-map.tsx'

const shown = 14

/** What the chosen spans have that the others have not: of a part of the map, or else of the failed ones. */
export function Differences({
  query,
  choice,
  onAdd,
}: {
  query: { since: string; until?: string; status?: 'ok' | 'error' }
  choice: Choice | undefined
  onAdd: (name: string, value: string) => void
}) {
  const chosen =
    choice === undefined
      ? { chosenStatus: 'error' as const }
      : {
          chosenSince: new Date(choice.sinceMs).toISOString(),
          chosenUntil: new Date(choice.untilMs).toISOString(),
          chosenMinMs: round(choice.minMs),
          chosenMaxMs: round(choice.maxMs),
        }
  const found = useQuery({
    queryKey: ['differences', query, chosen],
    queryFn: ({ signal }) =>
      dataOf(GET('/api/v1/spans/differences', { params: { query: { ...query, ...chosen } }, signal })),
    staleTime: 30_000,
    placeholderData: (before) => before,
  })
  const whom = choice === undefined ? 'failed ones' : 'chosen ones'
  return (
    <section className="card" aria-labelledby="differences">
      <h2 id="differences">What is different about the {whom}</h2>
      {found.isError && <ErrorNote error={found.error} />}
      {found.isPending && <Waiting what="Comparing" />}
      {found.data !== undefined && <Table found={found.data} whom={whom} onAdd={onAdd} />}
    </section>
  )
}

interface Found {
  chosen: number
  others: number
  differences: { name: string; value: string; chosen: number; others: number }[]
}

function Table({ found, whom, onAdd }: { found: Found; whom: string; onAdd: (name: string, value: string) => void }) {
  if (found.chosen === 0) return <p className="muted">None failed. Drag over the map to choose others.</p>
  if (found.others === 0) return <p className="muted">All of them are; there is nothing to compare with.</p>
  return (
    <>
      <p className="muted">
        {count(found.chosen)} against {count(found.others)} others
      </p>
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Has</th>
              <th scope="col">{whom}</th>
              <th scope="col">others</th>
              <th scope="col" />
            </tr>
          </thead>
          <tbody>
            {found.differences.slice(0, shown).map((each) => (
              <tr key={`${each.name} ${each.value}`}>
                <td>
                  <span className="muted">
                    <Raw text={each.name} most={60} />
                  </span>{' '}
                  <Raw text={each.value} most={80} />
                </td>
                <td>
                  <Share value={each.chosen} />
                </td>
                <td>
                  <Share value={each.others} tone="plain" />
                </td>
                <td className="right">
                  {each.name !== 'kind' && (
                    <button type="button" className="link" onClick={() => onAdd(each.name, each.value)}>
                      only these
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6
}
