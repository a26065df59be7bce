import type { Schemas } from '../api/client.ts'
import { count, ms, share } from '../tell.ts'
import { Raw } from './raw.tsx'
import { Time } from './time.tsx'

/** How the calls to each version went, the latest version first; nothing where none is known. */
export function VersionTable({ versions }: { versions: Schemas['Traffic']['versions'] }) {
  if (versions.length === 0) return null
  return (
    <div className="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Version</th>
            <th scope="col" className="right">
              Calls
            </th>
            <th scope="col" className="right">
              Failed
            </th>
            <th scope="col" className="right">
              p95
            </th>
            <th scope="col">First seen</th>
          </tr>
        </thead>
        <tbody>
          {versions.map((version) => (
            <tr key={version.version}>
              <td>
                <Raw text={version.version} most={40} />
              </td>
              <td className="num right">{count(version.calls)}</td>
              <td className="num right">{share(version.errors / Math.max(1, version.calls))}</td>
              <td className="num right">{ms(version.p95Ms)}</td>
              <td className="nowrap">
                <Time at={version.firstSeen} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
