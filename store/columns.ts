// A table is declared once, as the column types that ClickHouse reports. Row types follow from the declaration, and a test
// holds it against DESCRIBE TABLE, so a schema and its rows cannot drift apart.

/** What a column of this ClickHouse type is in JSONEachRow. Times are text; 64-bit integers are numbers below 2^53. */
type Value<T extends string> = T extends `LowCardinality(${infer Inner})`
  ? Value<Inner>
  : T extends `SimpleAggregateFunction(${string}, ${infer Inner})`
    ? Value<Inner>
    : T extends `Nullable(${infer Inner})`
      ? Value<Inner> | null
      : T extends `Array(${infer Inner})`
        ? Value<Inner>[]
        : T extends `Map(${string}, UInt64)`
          ? Record<string, number>
          : T extends `Map(${string})`
            ? Record<string, string>
            : T extends 'String' | `DateTime${string}`
              ? string
              : T extends `UInt${string}` | `Int${string}` | `Float${string}`
                ? number
                : never

export interface Columns {
  /** Given on insert. */
  readonly stored: Readonly<Record<string, string>>
  /** Filled by ClickHouse unless given. */
  readonly defaulted?: Readonly<Record<string, string>>
  /** Computed by ClickHouse from other columns whenever it is read. */
  readonly aliased?: Readonly<Record<string, string>>
}

type Values<C> = { -readonly [K in keyof C]: C[K] extends string ? Value<C[K]> : never }

/** The row to insert into a table declared so. */
export type InsertRow<C extends Columns> = Values<C['stored']> &
  (C['defaulted'] extends object ? Partial<Values<C['defaulted']>> : unknown)

/** The row that a table declared so gives. */
export type SelectRow<C extends Columns> = Values<C['stored']> &
  (C['defaulted'] extends object ? Values<C['defaulted']> : unknown) &
  (C['aliased'] extends object ? Values<C['aliased']> : unknown)
