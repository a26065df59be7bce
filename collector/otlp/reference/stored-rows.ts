// Rows as ClickHouse has them, to be compared with those that a request should make.

import type { Store } from '@headwater/store'
import { insertBlocks } from '@headwater/store'
import type { Row } from './expected-rows.ts'

interface Column {
  name: string
  type: string
}

/** Makes a table with the columns of a real one, but without its order, its partitions and the end of life of its rows. */
export async function createPlainTable(store: Store, table: string, like: 'otel_traces' | 'otel_logs'): Promise<void> {
  await store.clickhouse.command({ query: `CREATE TABLE ${table} AS ${like} ENGINE = Memory` })
}

/** Inserts a block as the collector does; throws when ClickHouse does not take it. */
export async function insertBlock(
  store: Store,
  { table, columns, block }: { table: string; columns: readonly Column[]; block: Uint8Array },
): Promise<void> {
  const names = columns.map(({ name }) => name)
  const insert = { table, columns: names, blocks: [block], token: crypto.randomUUID(), timeoutMs: 60_000 }
  const inserted = await insertBlocks(store, insert)
  if (inserted.kind !== 'stored') throw new Error(`Cannot insert into ${table}`, { cause: inserted.cause })
}

/** All rows of a table, of these columns. */
export async function readRows(store: Store, table: string, columns: readonly Column[]): Promise<Row[]> {
  const selected = columns.map(({ name, type }) => `${textOf(`\`${name}\``, type)} AS \`${name}\``).join(', ')
  const result = await store.clickhouse.query({
    query: `SELECT ${selected} FROM ${table}`,
    format: 'JSONEachRow',
    clickhouse_settings: { prefer_column_name_to_alias: 1, output_format_json_quote_64bit_integers: 1 },
  })
  return await result.json<Row>()
}

/** An expression whose value JSON keeps exactly. */
function textOf(name: string, type: string): string {
  if (type === 'DateTime64(9)') return `toString(toUnixTimestamp64Nano(${name}))`
  if (type === 'Array(DateTime64(9))') return `arrayMap(time -> toString(toUnixTimestamp64Nano(time)), ${name})`
  return name
}

/** Rows in an order that depends on nothing but themselves. */
export function inOrder(rows: readonly Row[]): Row[] {
  const keyed = rows.map((row): [string, Row] => [JSON.stringify(sorted(row)), row])
  return keyed.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, row]) => row)
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, item]) => [name, sorted(item)])
}
