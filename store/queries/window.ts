/** A stretch of time: `since` inclusive, `until` exclusive. */
export interface Window {
  since: Date
  until: Date
}

/** Where a list goes on: after the row with this time and identity. */
export interface Cursor {
  /** RFC 3339, with all digits of its column. */
  at: string
  id: string
}

/** A page of a list; `next` is null at the end. */
export interface Page<Item> {
  items: Item[]
  next: Cursor | null
}

/** A list is looked for in the newest minutes first: most are filled by them. */
export const newestMinutes = 10

/** What is tried next where nothing says how much is needed. */
const usualMinutes = 180
/** A guess is wrong half the time unless it is generous. */
const generous = 1.5

/**
 * How many of the newest minutes to read after some have filled only a share of a list. Twice as many at least; as many as should
 * fill it, where that is well less than a usual stretch: moreMinutes(10, 0.5) is 30, moreMinutes(10, 0) is 180.
 */
export function moreMinutes(minutes: number, share: number): number {
  const likely = Math.max(2 * minutes, (generous * minutes) / share)
  if (minutes >= usualMinutes) return likely
  return likely <= usualMinutes / 2 ? likely : usualMinutes
}

/** Cuts what was read, one more than the limit, to a page. */
export function pageOf<Item>(read: Item[], limit: number, cursorOf: (item: Item) => Cursor): Page<Item> {
  const items = read.slice(0, limit)
  const last = items.at(-1)
  return { items, next: read.length > limit && last !== undefined ? cursorOf(last) : null }
}

/** RFC 3339 with up to nine decimals → Unix seconds with the same decimals, which ClickHouse reads without a time zone. */
export function unixSeconds(time: string): string {
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? ''
  const seconds = Math.floor(Date.parse(time.replace(/\.\d+/, '')) / 1000)
  return `${seconds}.${fraction.padEnd(9, '0').slice(0, 9)}`
}
