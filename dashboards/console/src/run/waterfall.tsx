import './run.css'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, useEffect, useMemo, useRef } from 'react'
import { Raw } from '../parts/raw.tsx'
import { ms } from '../tell.ts'
import { keyOf, type Row, unfolded, type Waterfall } from './tree.ts'

const rowPx = 26
/** Deeper levels are not moved further to the right: there would be no room for their names. */
const depthMost = 24

/** Which spans are shown, and below which none are. */
export interface Shown {
  only: 'all' | 'errors' | 'critical'
  /** Keys of spans. */
  folded: ReadonlySet<string>
}

export function WaterfallView({
  waterfall: { rows, totalMs },
  firstFailure,
  selected,
  onSelect,
  shown: { only, folded },
  onShow,
}: {
  waterfall: Waterfall
  /** Key of the span that failed or slowed first. */
  firstFailure: string | undefined
  selected: string | undefined
  onSelect: (key: string | undefined) => void
  shown: Shown
  onShow: (shown: Shown) => void
}) {
  const shown = useMemo(() => {
    if (only === 'errors') return rows.filter(({ failed }) => failed)
    if (only === 'critical') return rows.filter(({ isCritical }) => isCritical)
    return unfolded(rows, folded)
  }, [rows, folded, only])
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: 12,
  })
  const at = selected === undefined ? -1 : shown.findIndex(({ span }) => keyOf(span) === selected)

  const wanted = selected ?? firstFailure
  const isFirst = useRef(true)
  useEffect(() => {
    const index = shown.findIndex(({ span }) => keyOf(span) === wanted)
    if (index > -1) virtual.scrollToIndex(index, { align: isFirst.current ? 'center' : 'auto' })
    isFirst.current = false
  }, [wanted, shown, virtual])

  const fold = (row: Row, isFolded: boolean) => {
    const next = new Set(folded)
    if (isFolded) next.add(keyOf(row.span))
    else next.delete(keyOf(row.span))
    onShow({ only, folded: next })
  }

  function press(event: KeyboardEvent): void {
    const row = shown[at]
    const move = (index: number) => {
      const to = shown[Math.max(0, Math.min(shown.length - 1, index))]
      if (to !== undefined) onSelect(keyOf(to.span))
    }
    const page = Math.floor((scroller.current?.clientHeight ?? 400) / rowPx) - 1
    if (event.key === 'ArrowDown' || event.key === 'j') move(at + 1)
    else if (event.key === 'ArrowUp' || event.key === 'k') move(at === -1 ? 0 : at - 1)
    else if (event.key === 'PageDown') move(at + page)
    else if (event.key === 'PageUp') move(at - page)
    else if (event.key === 'Home') move(0)
    else if (event.key === 'End') move(shown.length - 1)
    else if (event.key === 'ArrowLeft' && row !== undefined) {
      if (row.children.length > 0 && !folded.has(keyOf(row.span))) fold(row, true)
      else if (row.parent !== undefined) onSelect(keyOf(row.parent.span))
    } else if (event.key === 'ArrowRight' && row !== undefined) fold(row, false)
    else if (event.key === 'Escape') onSelect(undefined)
    else return
    event.preventDefault()
  }

  const failures = rows.filter(({ failed }) => failed).length
  return (
    <div className="waterfall">
      <div className="tools row">
        <div className="row" role="group" aria-label="Which spans">
          {(
            [
              ['all', `All ${rows.length.toLocaleString('en')} spans`],
              ['critical', 'Critical path'],
              ['errors', `Failed (${failures.toLocaleString('en')})`],
            ] as const
          ).map(([value, name]) => (
            <button
              key={value}
              type="button"
              className="small"
              aria-pressed={only === value}
              disabled={value === 'errors' && failures === 0}
              onClick={() => onShow({ only: value, folded })}
            >
              {name}
            </button>
          ))}
        </div>
        <span className="grow" />
        <ul className="legend-line" aria-label="Signs">
          <li>
            <i className="critical" /> critical path
          </li>
          <li>
            <i className="other" /> beside it
          </li>
          <li>
            <i className="waited" /> waited in a queue
          </li>
          <li className="bad-text">✕ failed</li>
        </ul>
      </div>
      <Axis totalMs={totalMs} />
      <div
        ref={scroller}
        className="lines"
        style={{ height: `min(66vh, ${Math.max(4, shown.length) * rowPx}px)` }}
        role="tree"
        aria-label="Spans of the run"
        aria-activedescendant={at === -1 ? undefined : `line-${at}`}
        tabIndex={0}
        onKeyDown={press}
      >
        <div style={{ height: virtual.getTotalSize(), position: 'relative' }} role="presentation">
          {virtual.getVirtualItems().map(({ index, start }) => {
            const row = shown[index]
            if (row === undefined) return null
            const key = keyOf(row.span)
            return (
              <Line
                key={key}
                id={`line-${index}`}
                row={row}
                top={start}
                totalMs={totalMs}
                depth={only === 'all' ? row.depth : 0}
                isFolded={folded.has(key)}
                isSelected={key === selected}
                isFirstFailure={key === firstFailure}
                onSelect={() => onSelect(key)}
                onFold={() => fold(row, !folded.has(key))}
              />
            )
          })}
        </div>
      </div>
    </div>
  )
}

function Line({
  id,
  row,
  top,
  totalMs,
  depth,
  isFolded,
  isSelected,
  isFirstFailure,
  onSelect,
  onFold,
}: {
  id: string
  row: Row
  top: number
  totalMs: number
  depth: number
  isFolded: boolean
  isSelected: boolean
  isFirstFailure: boolean
  onSelect: () => void
  onFold: () => void
}) {
  const { span, failed, isCritical, startMs, endMs, waitedMs, children, below, beginsTrace } = row
  const percent = (at: number) => `${(at / Math.max(1e-6, totalMs)) * 100}%`
  // The time stands after the bar, before it, or within it: wherever there is room.
  const after = endMs < totalMs * 0.86
  const before = !after && startMs > totalMs * 0.14
  return (
    <div
      id={id}
      role="treeitem"
      aria-level={depth + 1}
      aria-selected={isSelected}
      aria-expanded={children.length === 0 ? undefined : !isFolded}
      className={`line${isSelected ? ' selected' : ''}${beginsTrace ? ' begins' : ''}${isFirstFailure ? ' first-failure' : ''}`}
      style={{ transform: `translateY(${top}px)` }}
      onClick={onSelect}
    >
      <div className="name" style={{ paddingLeft: Math.min(depth, depthMost) * 12 + 4 }}>
        <span
          className="fold"
          aria-hidden="true"
          onClick={(event) => {
            event.stopPropagation()
            onFold()
          }}
        >
          {children.length === 0 ? '' : isFolded ? '▸' : '▾'}
        </span>
        {failed && (
          <span className="bad-text" title="failed">
            ✕{' '}
          </span>
        )}
        <b>
          <Raw text={span.serviceName} most={40} />
        </b>{' '}
        <Raw text={span.name} most={100} />
        {isFolded && <span className="muted"> +{below}</span>}
        {isFirstFailure && <em>first</em>}
      </div>
      <div className="lane">
        {waitedMs > 0 && (
          <i
            className="waited"
            title={`waited ${ms(waitedMs)}`}
            style={{ left: percent(startMs - waitedMs), width: percent(waitedMs) }}
          />
        )}
        <i
          className={`${failed ? 'failed' : ''} ${isCritical ? 'critical' : 'other'}`}
          style={{ left: percent(startMs), width: `max(2px, ${percent(endMs - startMs)})` }}
        />
        <span
          className={after || before ? 'took' : 'took within'}
          style={
            after
              ? { left: `calc(${percent(endMs)} + 5px)` }
              : { right: `calc(${percent(totalMs - (before ? startMs : endMs))} + 5px)` }
          }
        >
          {ms(endMs - startMs)}
          {waitedMs >= 1 && <span className="muted"> after {ms(waitedMs)} in the queue</span>}
        </span>
      </div>
    </div>
  )
}

function Axis({ totalMs }: { totalMs: number }) {
  return (
    <div className="axis" aria-hidden="true">
      <div className="name" />
      <div className="lane">
        {[0, 0.25, 0.5, 0.75, 1].map((part) => (
          <span key={part} style={part === 1 ? { right: 0 } : { left: `${part * 100}%` }}>
            {part === 0 ? '0' : ms(totalMs * part)}
          </span>
        ))}
      </div>
    </div>
  )
}
