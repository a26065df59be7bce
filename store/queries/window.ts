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
