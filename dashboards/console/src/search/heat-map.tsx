import { useRef, useState } from 'react'
import { clock, count, ms } from '../tell.ts'

export interface Cell {
  column: number
  bucket: number
  spans: number
  errors: number
}

/** A part of the map: time and durations, both from inclusive to exclusive. */
export interface Choice {
  sinceMs: number
  untilMs: number
  minMs: number
  maxMs: number
}

const cellPx = 12
const rowsMin = 12

/** Four buckets to a doubling. */
export const bucketStartMs = (bucket: number): number => 2 ** (bucket / 4)

/** Keys that move the chosen part, as columns and buckets. */
const moves: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
}

/** Spans by time and duration: darker is more, red is failed. Dragging, or arrow keys and Enter, choose a part. */
export function HeatMap({
  cells,
  columns,
  sinceMs,
  untilMs,
  choice,
  onChoose,
}: {
  cells: readonly Cell[]
  columns: number
  sinceMs: number
  untilMs: number
  choice: Choice | undefined
  onChoose: (choice: Choice | undefined) => void
}) {
  const [drag, setDrag] = useState<{ from: Point; to: Point }>()
  const frame = useRef<SVGSVGElement>(null)
  if (cells.length === 0) return null
  const lowest = Math.min(...cells.map(({ bucket }) => bucket))
  const highest = Math.max(lowest + rowsMin - 1, ...cells.map(({ bucket }) => bucket))
  const rows = highest - lowest + 1
  const densest = Math.log1p(Math.max(...cells.map(({ spans }) => spans)))
  const stepMs = (untilMs - sinceMs) / columns
  const y = (bucket: number) => (highest - bucket) * cellPx

  function pointOf(event: React.PointerEvent): Point {
    const box = frame.current?.getBoundingClientRect()
    if (box === undefined) return { column: 0, bucket: lowest }
    const part = (value: number, size: number, parts: number) =>
      Math.max(0, Math.min(parts - 1, Math.floor((value / size) * parts)))
    return {
      column: part(event.clientX - box.left, box.width, columns),
      bucket: highest - part(event.clientY - box.top, box.height, rows),
    }
  }
  const choiceOf = ({ from, to }: { from: Point; to: Point }): Choice => ({
    sinceMs: sinceMs + Math.min(from.column, to.column) * stepMs,
    untilMs: sinceMs + (Math.max(from.column, to.column) + 1) * stepMs,
    minMs: bucketStartMs(Math.min(from.bucket, to.bucket)),
    maxMs: bucketStartMs(Math.max(from.bucket, to.bucket) + 1),
  })
  /** Where the arrow keys begin: at the slowest spans, of these at the latest. */
  const slowest = cells.reduce((found, cell) =>
    cell.bucket > found.bucket || (cell.bucket === found.bucket && cell.column > found.column) ? cell : found,
  )
  function press(event: React.KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    const move = moves[event.key]
    if (event.key === 'Enter' && drag !== undefined) onChoose(choiceOf(drag))
    else if (event.key === 'Escape' && (drag !== undefined || choice !== undefined)) onChoose(undefined)
    else if (move === undefined) return
    event.preventDefault()
    if (move === undefined || drag === undefined) {
      setDrag(move === undefined ? undefined : { from: slowest, to: slowest })
      return
    }
    const moved = ({ column, bucket }: Point): Point => ({
      column: Math.max(0, Math.min(columns - 1, column + move[0])),
      bucket: Math.max(lowest, Math.min(highest, bucket + move[1])),
    })
    setDrag({ from: event.shiftKey ? drag.from : moved(drag.from), to: moved(drag.to) })
  }
  const shown = drag === undefined ? choice : choiceOf(drag)
  const toBucket = (value: number) => 4 * Math.log2(value)
  const total = cells.reduce((sum, { spans }) => sum + spans, 0)
  const failed = cells.reduce((sum, { errors }) => sum + errors, 0)

  return (
    <figure className="heat">
      <div className="heat-grid">
        <div className="heat-y" aria-hidden="true">
          {[highest + 1, Math.round((highest + lowest) / 2), lowest].map((bucket) => (
            <span key={bucket}>{ms(bucketStartMs(bucket))}</span>
          ))}
        </div>
        <svg
          ref={frame}
          viewBox={`0 0 ${columns * cellPx} ${rows * cellPx}`}
          preserveAspectRatio="none"
          role="application"
          tabIndex={0}
          aria-label={`${count(total)} spans by time and duration, ${count(failed)} failed. Drag, or use arrow keys with Shift and Enter, to choose some of them`}
          onKeyDown={press}
          onBlur={() => setDrag(undefined)}
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId)
            const at = pointOf(event)
            setDrag({ from: at, to: at })
          }}
          onPointerMove={(event) => {
            if (drag !== undefined && event.buttons !== 0) setDrag({ from: drag.from, to: pointOf(event) })
          }}
          onPointerUp={() => {
            if (drag !== undefined) onChoose(choiceOf(drag))
            setDrag(undefined)
          }}
          onPointerCancel={() => setDrag(undefined)}
        >
          {cells.map(({ column, bucket, spans, errors }) => (
            <rect
              key={`${column} ${bucket}`}
              x={column * cellPx + 0.5}
              y={y(bucket) + 0.5}
              width={cellPx - 1}
              height={cellPx - 1}
              className={errors > 0 && errors >= spans / 2 ? 'mostly-failed' : errors > 0 ? 'some-failed' : ''}
              fillOpacity={0.2 + 0.8 * (Math.log1p(spans) / densest)}
            />
          ))}
          {shown !== undefined && (
            <rect
              className="chosen"
              x={((shown.sinceMs - sinceMs) / stepMs) * cellPx}
              width={Math.max(cellPx, ((shown.untilMs - shown.sinceMs) / stepMs) * cellPx)}
              y={(highest + 1 - toBucket(shown.maxMs)) * cellPx}
              height={Math.max(cellPx, (toBucket(shown.maxMs) - toBucket(shown.minMs)) * cellPx)}
            />
          )}
        </svg>
      </div>
      <p className="hidden" role="status">
        {drag !== undefined && shown !== undefined && toldOf(shown)}
      </p>
      <figcaption>
        <span className="num">{clock(sinceMs)}</span>
        <span className="grow" />
        <span>
          {count(total)} spans, {count(failed)} failed
        </span>
        <span className="grow" />
        <span className="num">{clock(untilMs)}</span>
      </figcaption>
    </figure>
  )
}

function toldOf({ sinceMs, untilMs, minMs, maxMs }: Choice): string {
  return `${clock(sinceMs)} to ${clock(untilMs)}, ${ms(minMs)} to ${ms(maxMs)}`
}

interface Point {
  column: number
  bucket: number
}
