import { share as told } from '../tell.ts'

/** A share as a bar, with the interval in which the true one lies where it is known. The number stands beside it. */
export function Share({
  value,
  low,
  high,
  tone = 'bad',
}: {
  value: number
  low?: number | undefined
  high?: number | undefined
  tone?: 'bad' | 'plain'
}) {
  const x = (part: number) => `${Math.max(0, Math.min(1, part)) * 100}%`
  const hasInterval = low !== undefined && high !== undefined
  return (
    <span
      className="share"
      title={hasInterval ? `between ${told(low)} and ${told(high)}, with 95 % confidence` : undefined}
    >
      <svg className={`meter ${tone}`} aria-hidden="true" preserveAspectRatio="none">
        <rect width="100%" height="100%" className="track" />
        <rect width={x(value)} height="100%" className="fill" />
        {hasInterval && (
          <line x1={x(low)} x2={x(high)} y1="50%" y2="50%" className="interval" vectorEffect="non-scaling-stroke" />
        )}
      </svg>
      <span className="num">{told(value)}</span>
    </span>
  )
}
