import { Link } from 'wouter'
import type { Schemas } from '../api/client.ts'
import { servicePath } from '../links.ts'
import { Raw } from '../parts/raw.tsx'

/** The way of a cause, in the direction of the calls: from an entry, where users feel it, to where it started. */
export function CausePath({ cause }: { cause: Schemas['Cause'] }) {
  const steps = cause.path.toReversed()
  const entry = steps[0]
  const isPeerAtFault = cause.peer !== undefined && cause.kind === 'dependency'
  return (
    <ol className="path" aria-label={`From ${entry?.service ?? 'the entry'} to ${cause.service}`}>
      {steps.map((step, i) => {
        const isCause = i === steps.length - 1
        return (
          <li key={`${step.service} ${step.operation}`} className={isCause ? 'is-cause' : ''}>
            <Link href={servicePath(step.service, { operation: step.operation })}>
              <strong>
                <Raw text={step.service} most={60} />
              </strong>
              <span>
                <Raw text={step.operation} most={80} empty="any operation" />
              </span>
            </Link>
            <em>{isCause ? '◉ it started here' : i === 0 ? 'users come in here' : 'passes it on'}</em>
          </li>
        )
      })}
      {isPeerAtFault && (
        <li className="is-peer">
          <div>
            <strong>
              <Raw text={cause.peer} most={60} />
            </strong>
            <span>sends no spans</span>
          </div>
          <em>what it waits for</em>
        </li>
      )}
    </ol>
  )
}
