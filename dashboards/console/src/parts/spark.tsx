// A small chart: what was seen over time against what was expected. One line of words says the same for those who cannot see it.
export interface SparkPoint {
  atMs: number
  seen: number | null
  expected: number | null
}

const width = 280
const height = 64
const pad = 3

export function Spark({
  points,
  fromMs,
  toMs,
  onsetMs,
  label,
  told,
}: {
  points: readonly SparkPoint[]
  fromMs: number
  toMs: number
  /** Where it began to depart. */
  onsetMs?: number | undefined
  label: string
  told: (value: number) => string
}) {
  const values = points.flatMap(({ seen, expected }) => [seen ?? 0, expected ?? 0])
  const most = Math.max(...values, 0)
  if (points.length === 0 || most === 0) return null
  const x = (atMs: number) => pad + ((atMs - fromMs) / Math.max(1, toMs - fromMs)) * (width - 2 * pad)
  const y = (value: number) => height - pad - (value / most) * (height - 2 * pad - 10)
  const line = (pick: (point: SparkPoint) => number | null) =>
    points
      .flatMap((point) => {
        const value = pick(point)
        return value === null ? [] : [`${x(point.atMs).toFixed(1)},${y(value).toFixed(1)}`]
      })
      .join(' ')
  const seen = line((point) => point.seen)
  const first = points[0]
  const last = points.at(-1)
  return (
    <svg className="spark" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {onsetMs !== undefined && onsetMs > fromMs && onsetMs < toMs && (
        <>
          <rect className="during" x={x(onsetMs)} y={0} width={Math.max(0, width - pad - x(onsetMs))} height={height} />
          <line className="onset" x1={x(onsetMs)} x2={x(onsetMs)} y1={0} y2={height} />
        </>
      )}
      {first !== undefined && last !== undefined && (
        <polygon
          className="area"
          points={`${x(first.atMs).toFixed(1)},${y(0)} ${seen} ${x(last.atMs).toFixed(1)},${y(0)}`}
        />
      )}
      <polyline className="seen" points={seen} />
      <polyline className="expected" points={line((point) => point.expected)} />
      <text x={width - pad} y={10} textAnchor="end">
        {told(most)}
      </text>
    </svg>
  )
}
