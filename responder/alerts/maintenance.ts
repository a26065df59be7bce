import { type MaintenanceWindow, weekdays } from './configuration.ts'
import { matchesGlob } from './glob.ts'

/** The window in which faults of `service` are expected at this time; `undefined` when there is none. */
export function windowAt(
  windows: readonly MaintenanceWindow[],
  service: string | undefined,
  nowMs: number,
): MaintenanceWindow | undefined {
  return windows.find(
    (window) =>
      isActive(window, nowMs) &&
      (window.services === undefined ||
        (service !== undefined && window.services.some((pattern) => matchesGlob(service, pattern)))),
  )
}

function isActive({ from, until, weekly }: MaintenanceWindow, nowMs: number): boolean {
  if (weekly === undefined) return from !== undefined && until !== undefined && nowMs >= from && nowMs < until
  const { day, minute } = localTime(nowMs, weekly.zone)
  const isOn = (which: number) => weekly.days.includes(weekdays[(which + 7) % 7] ?? 'mon')
  if (weekly.from < weekly.until) return isOn(day) && minute >= weekly.from && minute < weekly.until
  return (isOn(day) && minute >= weekly.from) || (isOn(day - 1) && minute < weekly.until)
}

/** The day of the week, from Monday on, and the minute of the day, as clocks on the wall show them. */
function localTime(nowMs: number, zone: string): { day: number; minute: number } {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  const parts = Object.fromEntries(format.formatToParts(nowMs).map(({ type, value }) => [type, value]))
  const day = weekdays.findIndex((name) => name === parts['weekday']?.toLowerCase())
  return { day, minute: Number(parts['hour']) * 60 + Number(parts['minute']) }
}
