import 'uplot/dist/uPlot.min.css'
import { useEffect, useRef } from 'react'
import uPlot from 'uplot'

export interface Line {
  name: string
  values: (number | null)[]
  /** A colour of the style sheet. */
  colour: '--accent' | '--bad' | '--muted' | '--warn'
  isFilled?: boolean
  isDashed?: boolean
}

/** Something that happened, as a line across the chart. */
export interface Mark {
  atS: number
  colour: '--accent' | '--bad'
}

/** Series over time. Charts of one page move together; dragging chooses a time. */
export function Chart({
  title,
  seconds,
  lines,
  marks = [],
  told,
  onChoose,
}: {
  title: string
  /** Unix seconds. */
  seconds: number[]
  lines: Line[]
  marks?: Mark[]
  told: (value: number) => string
  onChoose?: (fromMs: number, toMs: number) => void
}) {
  const holder = useRef<HTMLDivElement>(null)
  const choose = useRef(onChoose)
  choose.current = onChoose
  const key = JSON.stringify([lines.map(({ name }) => name), seconds[0], seconds.length, seconds.at(-1), marks])

  useEffect(() => {
    const element = holder.current
    if (element === null) return undefined
    const paint = () => {
      const style = getComputedStyle(element)
      return (name: string) => resolved(element, style.getPropertyValue(name) === '' ? 'currentColor' : `var(${name})`)
    }
    const draw = (): uPlot => {
      const colour = paint()
      const axis = {
        stroke: colour('--muted'),
        grid: { stroke: colour('--line'), width: 1 },
        ticks: { show: false },
        font: '11px Inter, system-ui, sans-serif',
      }
      return new uPlot(
        {
          width: element.clientWidth,
          height: 170,
          cursor: { sync: { key: 'page' }, drag: { x: true, y: false, setScale: onChoose === undefined } },
          legend: { live: true, markers: { width: 2 } },
          scales: { y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] } },
          axes: [
            { ...axis, space: 70, values: (_, ticks) => ticks.map((tick) => clockOf(tick)) },
            {
              ...axis,
              size: 64,
              space: 34,
              values: (_, ticks) => ticks.map((tick) => (tick === 0 ? '0' : told(tick))),
            },
          ],
          series: [
            { label: 'at', value: (_, at) => (at === null ? '' : clockOf(at)) },
            ...lines.map((line): uPlot.Series => {
              const stroke = colour(line.colour)
              return {
                label: line.name,
                stroke,
                width: 1.5,
                spanGaps: false,
                ...(line.isFilled && { fill: faint(stroke) }),
                ...(line.isDashed && { dash: [4, 4] }),
                points: { show: true, filter: alone },
                value: (_, value) => (value === null || value === undefined ? '–' : told(value)),
              }
            }),
          ],
          hooks: {
            setSelect: [
              (plot) => {
                const { left, width } = plot.select
                if (width < 4 || choose.current === undefined) return
                choose.current(plot.posToVal(left, 'x') * 1_000, plot.posToVal(left + width, 'x') * 1_000)
                plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
              },
            ],
            drawClear: [
              (plot) => {
                for (const { atS, colour: name } of marks) {
                  const x = Math.round(plot.valToPos(atS, 'x', true))
                  if (x < plot.bbox.left || x > plot.bbox.left + plot.bbox.width) continue
                  plot.ctx.save()
                  plot.ctx.strokeStyle = colour(name)
                  plot.ctx.setLineDash([3, 3])
                  plot.ctx.beginPath()
                  plot.ctx.moveTo(x, plot.bbox.top)
                  plot.ctx.lineTo(x, plot.bbox.top + plot.bbox.height)
                  plot.ctx.stroke()
                  plot.ctx.restore()
                }
              },
            ],
          },
        },
        [seconds, ...lines.map(({ values }) => values)],
        element,
      )
    }
    let plot = draw()
    const again = () => {
      plot.destroy()
      plot = draw()
    }
    let width = element.clientWidth
    const sizes = new ResizeObserver(() => {
      if (element.clientWidth === width) return
      width = element.clientWidth
      plot.setSize({ width, height: 170 })
    })
    sizes.observe(element)
    const themes = new MutationObserver(again)
    themes.observe(document.documentElement, { attributeFilter: ['data-theme'] })
    const system = matchMedia('(prefers-color-scheme: dark)')
    system.addEventListener('change', again)
    return () => {
      sizes.disconnect()
      themes.disconnect()
      system.removeEventListener('change', again)
      plot.destroy()
    }
    // The key says all that the drawing depends on.
  }, [key]) // oxlint-disable-line react-hooks/exhaustive-deps

  const latest = lines.map(({ name, values }) => {
    const last = values.findLast((value) => value !== null)
    return `${name} ${last === undefined || last === null ? 'unknown' : told(last)}`
  })
  return (
    <figure className="chart" role="group" aria-label={`${title}: now ${latest.join(', ')}`}>
      <h3>{title}</h3>
      <div ref={holder} aria-hidden="true" />
    </figure>
  )
}

/** Values without a neighbour, which no line leads to: only points show them. */
function alone(plot: uPlot, series: number): number[] {
  const values = plot.data[series] ?? []
  return [...values.keys()].filter((i) => isValue(values[i]) && !isValue(values[i - 1]) && !isValue(values[i + 1]))
}

function isValue(value: number | null | undefined): boolean {
  return value !== null && value !== undefined
}

/** A colour as a canvas understands it. */
function resolved(element: HTMLElement, value: string): string {
  const probe = document.createElement('i')
  probe.style.color = value
  element.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

function faint(colour: string): string {
  return colour.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.12)')
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })

function clockOf(seconds: number): string {
  return clock.format(new Date(seconds * 1_000))
}
