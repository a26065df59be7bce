// What the dashboards are put together from. Queries are SQL for the ClickHouse plugin, with its macros.
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  QueryVariableBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard'
import * as stat from '@grafana/grafana-foundation-sdk/stat'
import * as table from '@grafana/grafana-foundation-sdk/table'
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries'

/** As `provisioning/datasources` names them. */
export const clickhouse = { type: 'grafana-clickhouse-datasource', uid: 'headwater-clickhouse' }
const jaeger = { type: 'jaeger', uid: 'headwater-jaeger' }

/** A query as the ClickHouse plugin (version 4) keeps it. */
export interface ClickHouseQuery extends Dataquery {
  refId: string
  datasource: typeof clickhouse
  pluginVersion: string
  editorType: 'sql'
  queryType: 'timeseries' | 'table'
  /** 0: a series per label; 1: a table. */
  format: 0 | 1
  rawSql: string
}

function query(sql: string, queryType: ClickHouseQuery['queryType'], refId = 'A'): Builder<ClickHouseQuery> {
  return {
    build: () => ({
      refId,
      datasource: clickhouse,
      pluginVersion: '4.0.0',
      editorType: 'sql',
      queryType,
      format: queryType === 'timeseries' ? 0 : 1,
      rawSql: sql
        .split('\n')
        .map((line) => line.replace(/^ {4}/, ''))
        .join('\n')
        .trim(),
      // The SDK tells queries of data sources by it; JSON leaves it out.
      _implementsDataqueryVariant: () => undefined,
    }),
  }
}

export interface PanelOptions {
  title: string
  description: string
  unit?: string
  /** Of 24 columns. */
  width: number
  sql: string
}

/** A number, red from `badFrom` on. */
export function figure({ title, description, unit, width, sql, badFrom }: PanelOptions & { badFrom?: number }) {
  const panel = new stat.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(clickhouse)
    .withTarget(query(sql, 'table'))
    .thresholds(thresholds(badFrom))
    .height(4)
    .span(width)
  return unit === undefined ? panel : panel.unit(unit)
}

/** Series over time: `time`, a name where there are several, and the value. */
export function series({ title, description, unit, width, sql }: PanelOptions) {
  const panel = new timeseries.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(clickhouse)
    .withTarget(query(sql, 'timeseries'))
    .thresholds(thresholds())
    // States are kept per minute.
    .interval('1m')
    .min(0)
    .fillOpacity(8)
    .height(8)
    .span(width)
  return unit === undefined ? panel : panel.unit(unit)
}

/** Rows. `units` by column; a column named `trace` opens the trace. */
export function rows({
  title,
  description,
  width,
  sql,
  units = {},
}: PanelOptions & { units?: Record<string, string> }) {
  const panel = new table.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(clickhouse)
    .withTarget(query(sql, 'table'))
    .thresholds(thresholds())
    .height(9)
    .span(width)
  for (const [column, unit] of Object.entries(units)) panel.overrideByName(column, [{ id: 'unit', value: unit }])
  return panel.overrideByName('trace', [{ id: 'links', value: [{ title: 'Open the trace', url: traceUrl() }] }])
}

function thresholds(badFrom?: number) {
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps([{ value: null, color: 'green' }, ...(badFrom === undefined ? [] : [{ value: badFrom, color: 'red' }])])
}

/** Explore, with the Jaeger data source on the trace of the cell. */
function traceUrl(): string {
  const pane = {
    datasource: jaeger.uid,
    queries: [{ refId: 'A', datasource: jaeger, query: '__trace__' }],
    range: { from: 'now-1h', to: 'now' },
  }
  const panes = encodeURIComponent(JSON.stringify({ headwater: pane }))
  return `/explore?schemaVersion=1&panes=${panes.replace('__trace__', '${__value.raw:percentencode}')}`
}

/** A choice of several values, or all. `sql` yields one column. */
export function choice({ name, label, sql }: { name: string; label: string; sql: string }) {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(clickhouse)
    .query(sql)
    .definition(sql)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .multi(true)
    .includeAll(true)
    .current({ selected: true, text: ['All'], value: ['$__all'] })
}

/**
 * A choice of what senders have named. Grafana does not escape backslashes of a value that it puts into SQL, so names with
 * one are not offered; they are among all.
 */
export const safely = (column: string) => `${column} != '' AND position(${column}, '\\\\') = 0`

/** A dashboard, without its panels. */
export function dashboard({ uid, title, description }: { uid: string; title: string; description: string }) {
  return new DashboardBuilder(`Headwater: ${title}`)
    .uid(uid)
    .description(description)
    .tags(['headwater'])
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-1h', to: 'now' })
    .refresh('1m')
    .readonly()
    .link(
      new DashboardLinkBuilder('Headwater')
        .type(DashboardLinkType.Dashboards)
        .tags(['headwater'])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    )
}

/**
 * Milliseconds at a quantile of a histogram's buckets: bucket of d ns is ⌊ln(d + 1) / ln 1.05⌋. For rows that are joined with
 * `ARRAY JOIN mapKeys(Duration) AS bucket, mapValues(Duration) AS calls`.
 */
export const quantileMs = (q: number) =>
  `round(exp((quantileExactWeighted(${q})(bucket, calls) + 0.5) * log(1.05)) / 1e6, 3)`
