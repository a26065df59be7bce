// How numbers and times are told, the same on every page: three significant digits, one unit.

const many = new Intl.NumberFormat('en', { maximumSignificantDigits: 3, notation: 'compact' })
const whole = new Intl.NumberFormat('en')

/** count(1234567) is "1.23M"; count(5300) is "5,300". */
export function count(n: number): string {
  return Math.abs(n) >= 100_000 ? many.format(n) : whole.format(Math.round(n))
}

/** plural(1, 'flow') is "1 flow". */
export function plural(n: number, noun: string, nouns = `${noun}s`): string {
  return `${count(n)} ${n === 1 ? noun : nouns}`
}

/** ms(0.0421) is "42 µs"; ms(1533) is "1.53 s". */
export function ms(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–'
  if (value === 0) return '0 ms'
  if (value < 0.9995) return `${digits(value * 1_000)} µs`
  if (value < 999.5) return `${digits(value)} ms`
  if (value < 119_500) return `${digits(value / 1_000)} s`
  return span(value)
}

/** share(0.512) is "51 %"; share(0.0004) is "0.04 %". */
export function share(value: number): string {
  const percent = value * 100
  if (percent === 0 || percent === 100) return `${percent} %`
  if (percent > 99.5) return '> 99 %'
  return `${percent < 0.01 ? '< 0.01' : percent < 1 ? percent.toPrecision(1) : percent < 10 ? percent.toFixed(1) : percent.toFixed(0)} %`
}

/** rate(0.25) is "0.25/s"; rate(1200) is "1,200/s". */
export function rate(perSecond: number): string {
  return `${perSecond >= 100 ? count(perSecond) : digits(perSecond)}/s`
}

/** A stretch of time in its two largest units: span(125_000) is "2 min 5 s". */
export function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1_000))
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ]
  const first = parts.findIndex(([n]) => n > 0)
  if (first === -1) return '0 s'
  return parts
    .slice(first, first + 2)
    .filter(([n]) => n > 0)
    .map(([n, unit]) => `${n} ${unit}`)
    .join(' ')
}

const clockForm = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const dayForm = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })
const fullForm = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' })

/** The time of day, with the day where it is not today. */
export function clock(time: string | number, nowMs = Date.now()): string {
  const date = new Date(time)
  const isToday = date.toDateString() === new Date(nowMs).toDateString()
  return isToday ? clockForm.format(date) : `${dayForm.format(date)}, ${clockForm.format(date)}`
}

export function fullTime(time: string | number): string {
  return fullForm.format(new Date(time))
}

/** A measured value in the unit that the API names; of how often others are called, in calls for each call of the caller. */
export function measured(
  value: number | null | undefined,
  unit: 'share' | 'ns' | 'calls' | undefined,
  signal?: string,
): string {
  if (value === null || value === undefined) return '–'
  if (unit === 'share') return share(value)
  if (unit === 'ns') return ms(value / 1e6)
  return signal === 'fan-out' || signal === 'cache-misses' ? `${perCall(value)} per call` : count(value)
}

/** To two digits: what is left of one call in each is no whole call. */
function perCall(calls: number): string {
  return calls >= 10 ? count(calls) : String(Number(calls.toPrecision(2)))
}

function digits(value: number): string {
  return Number(value.toPrecision(3)).toString()
}
