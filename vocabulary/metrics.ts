// Metrics are data beside the code that moves them: each station declares its own, and whoever serves `/metrics` prints them.

export interface MetricDefinition {
  type: 'counter' | 'gauge'
  help: string
  labels?: readonly string[]
}

/** At most this many label sets a metric; more are added up under `other`, so that hostile input cannot grow it. */
const labelSetsMax = 200

/**
 * The values of one station's metrics, in Prometheus' text format: counters end in `_total`, units are base units.
 *
 * ```ts
 * const metrics = new MetricSet({ headwater_spans_received_total: { type: 'counter', help: 'Spans in requests' } })
 * metrics.add('headwater_spans_received_total', 12)
 * ```
 */
export class MetricSet<Name extends string> {
  readonly #definitions: Readonly<Record<Name, MetricDefinition>>
  readonly #values = new Map<Name, Map<string, number>>()

  constructor(definitions: Readonly<Record<Name, MetricDefinition>>) {
    this.#definitions = definitions
  }

  /** Adds to a counter or gauge. */
  add(name: Name, value = 1, labels: Readonly<Record<string, string>> = {}): void {
    const { series, key } = this.#at(name, labels)
    series.set(key, (series.get(key) ?? 0) + value)
  }

  /** Sets a gauge. */
  set(name: Name, value: number, labels: Readonly<Record<string, string>> = {}): void {
    const { series, key } = this.#at(name, labels)
    series.set(key, value)
  }

  /** The value now; 0 before the first change. */
  get(name: Name, labels: Readonly<Record<string, string>> = {}): number {
    return this.#values.get(name)?.get(this.#key(name, labels)) ?? 0
  }

  /** The values of all label sets that have these labels, added up. */
  sum(name: Name, labels: Readonly<Record<string, string>> = {}): number {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${escapeLabel(value)}"`)
    let sum = 0
    for (const [key, value] of this.#values.get(name) ?? []) {
      const pairs = key.slice(1, -1).split(/,(?=\w+=")/)
      if (wanted.every((pair) => pairs.includes(pair))) sum += value
    }
    return sum
  }

  /** All metrics in Prometheus' text exposition format 0.0.4. */
  text(): string {
    const lines: string[] = []
    for (const name of Object.keys(this.#definitions) as Name[]) {
      const { type, help, labels } = this.#definitions[name]
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
      const series = this.#values.get(name)
      if (series === undefined && labels === undefined) lines.push(`${name} 0`)
      for (const [key, value] of series ?? []) lines.push(`${name}${key} ${value}`)
    }
    return `${lines.join('\n')}\n`
  }

  #at(name: Name, labels: Readonly<Record<string, string>>): { series: Map<string, number>; key: string } {
    let series = this.#values.get(name)
    if (series === undefined) this.#values.set(name, (series = new Map()))
    const key = this.#key(name, labels)
    if (series.has(key) || series.size < labelSetsMax) return { series, key }
    const other = Object.fromEntries((this.#definitions[name].labels ?? []).map((label) => [label, 'other']))
    return { series, key: this.#key(name, other) }
  }

  #key(name: Name, labels: Readonly<Record<string, string>>): string {
    const pairs = (this.#definitions[name].labels ?? []).map(
      (label) => `${label}="${escapeLabel(labels[label] ?? '')}"`,
    )
    return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
  }
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
