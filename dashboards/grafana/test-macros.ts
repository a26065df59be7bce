// What Grafana and its ClickHouse plugin make of a query before ClickHouse gets it. Only tests need it: they run the panels'
// queries as they would be run.

export interface Range {
  fromMs: number
  toMs: number
  /** Of one step of the panel. */
  intervalS: number
}

/** Values chosen of the dashboard's variables; all of those that are absent. */
export type Choices = Readonly<Record<string, readonly string[]>>

/** A panel's query as ClickHouse gets it. */
export function expand(sql: string, { fromMs, toMs, intervalS }: Range, choices: Choices = {}): string {
  const from = `toDateTime(${Math.floor(fromMs / 1_000)})`
  const to = `toDateTime(${Math.floor(toMs / 1_000)})`
  return withChoices(sql, choices)
    .replaceAll(/\$__timeFilter\(([^()]+)\)/g, `$1 >= ${from} AND $1 <= ${to}`)
    .replaceAll(/\$__timeInterval\(([^()]+)\)/g, `toStartOfInterval(toDateTime($1), INTERVAL ${intervalS} second)`)
    .replaceAll('$__interval_s', String(intervalS))
    .replaceAll('$__fromTime', from)
    .replaceAll('$__toTime', to)
}

/** `$__conditionalAll(condition, $name)` is the condition, or 1=1 where all are chosen; `${name:singlequote}` are the values. */
function withChoices(sql: string, choices: Choices): string {
  const opening = '$__conditionalAll('
  let text = sql
  for (let start = text.indexOf(opening); start !== -1; start = text.indexOf(opening)) {
    const end = closingOf(text, start + opening.length)
    const inner = text.slice(start + opening.length, end)
    const comma = inner.lastIndexOf(',')
    const name = inner
      .slice(comma + 1)
      .trim()
      .replace('$', '')
    const condition = choices[name] === undefined ? '1=1' : inner.slice(0, comma)
    text = text.slice(0, start) + condition + text.slice(end + 1)
  }
  return text.replaceAll(/\$\{(\w+):singlequote\}/g, (_, name: string) =>
    (choices[name] ?? []).map((value) => `'${value.replaceAll("'", String.raw`\'`)}'`).join(','),
  )
}

function closingOf(text: string, from: number): number {
  let depth = 1
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1
    if (text[at] === ')') depth -= 1
    if (depth === 0) return at
  }
  throw new Error(`No bracket closes "${text.slice(from, from + 80)}"`)
}
