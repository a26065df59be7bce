// What a span takes on the disk, of recorded traffic of the fleet, in our tables and in those of the OpenTelemetry Collector's
// clickhouseexporter as they stand, each with its index of traces.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { startFleet, startLoad } from '@headwater/fleet'
import { startChild } from '../child.ts'
import { type Engine, startEngine } from './engine.ts'
import { judged, type Part, type Plan, told } from '../plan.ts'
import type { ReceiverProgram } from './receiver-program.ts'

const goalShare = 0.8
const requestsPerSecond = 40
const users = 400
const seed = 7
/** Rows of an insert into the exporter's tables, as its batches are when it is busy. */
const batchRows = 10_000

const ours = ['otel_traces', 'otel_traces_trace_id_ts']
/** With text indexes, as the exporter makes its table on a server as new as ours, and with the older bloom filters. */
const exporters = {
  text: ['exporter_text', 'exporter_trace_id_ts'],
  bloom: ['exporter_bloom', 'exporter_trace_id_ts'],
}

const exporterColumns = [
  'Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, ServiceName, ResourceAttributes',
  'ScopeName, ScopeVersion, SpanAttributes, Duration, StatusCode, StatusMessage',
  'Events.Timestamp, Events.Name, Events.Attributes, Links.TraceId, Links.SpanId, Links.TraceState, Links.Attributes',
].join(', ')

/** Records the fleet, then measures both before and after merging. */
export const disk: Part = async ({ progress, forMs }) => {
  await using cleanup = new AsyncDisposableStack()
  const engine = await startEngine()
  cleanup.defer(() => engine.stop())
  const spans = await recordFleet(engine, { progress, forMs })
  for (const statement of readFileSync(new URL('exporter.sql', import.meta.url), 'utf8').split(/;\s*$/m)) {
    if (statement.trim() !== '') await engine.run(statement)
  }
  // One order for all batches, whatever the inserts between them.
  await engine.run(
    'CREATE TABLE recorded ENGINE = MergeTree ORDER BY Place AS SELECT *, rowNumberInAllBlocks() AS Place FROM (SELECT * FROM otel_traces ORDER BY ReceivedAt, TraceId, SpanId)',
  )
  for (const table of ['exporter_text', 'exporter_bloom']) {
    for (let from = 0; from < spans; from += batchRows) {
      await engine.run(
        `INSERT INTO ${table} (${exporterColumns}) SELECT ${exporterColumns} FROM recorded ` +
          `WHERE Place >= ${from} AND Place < ${from + batchRows} SETTINGS max_insert_threads = 1`,
      )
    }
    const [count] = await engine.numbers(`SELECT count() FROM ${table}`)
    if (count !== spans) throw new Error(`Cannot compare: of ${spans} spans ${table} has ${count}`)
  }
  await engine.quiet()
  const sizes = async () => ({
    ours: (await bytesOf(engine, ours)) / spans,
    text: (await bytesOf(engine, exporters.text)) / spans,
    bloom: (await bytesOf(engine, exporters.bloom)) / spans,
  })
  const before = await sizes()
  for (const table of new Set([...ours, ...exporters.text, ...exporters.bloom])) {
    await engine.run(`OPTIMIZE TABLE ${table} FINAL`)
  }
  await engine.quiet()
  const after = await sizes()
  return [
    judged('disk_to_exporter', after.ours / after.text, '×', { atMost: goalShare }),
    judged('disk_to_exporter_bloom', after.ours / after.bloom, '×', { atMost: goalShare }),
    told('disk', after.ours, 'B/span'),
    told('rival_disk_exporter', after.text, 'B/span'),
    told('rival_disk_exporter_bloom', after.bloom, 'B/span'),
    told('disk_before_optimize', before.ours, 'B/span'),
    told('rival_disk_exporter_before_optimize', before.text, 'B/span'),
    told('rival_disk_exporter_bloom_before_optimize', before.bloom, 'B/span'),
    told('disk_spans', spans, 'spans of the fleet'),
  ]
}

/** Lets users use the fleet for a minute; its spans come by way of the collector. */
async function recordFleet(engine: Engine, { progress, forMs }: Pick<Plan, 'progress' | 'forMs'>): Promise<number> {
  await using cleanup = new AsyncDisposableStack()
  const receiver = await startChild<ReceiverProgram>('ingest/receiver-program.ts')
  cleanup.defer(() => receiver.end())
  const logDirectory = join(engine.directory, 'log')
  const otlpUrl = await receiver.ask('start', { kind: 'logged', urls: engine.urls, logDirectory })
  const fleet = await startFleet({ otlpUrl, seed })
  cleanup.defer(() => fleet.stop())
  const load = startLoad({ gatewayUrl: fleet.gatewayUrl, seed, requestsPerSecond, users })
  progress(`recording the fleet for ${forMs / 1_000} s`)
  await wait(forMs)
  await load.stop()
  await fleet.stop()
  await receiver.ask('idle', undefined)
  await engine.quiet()
  const [spans = 0, traces = 0, operations = 0, attributes = 0] = await engine.numbers(
    'SELECT count(), uniqExact(TraceId), uniqExact(ServiceName, SpanName), avg(length(SpanAttributes)) FROM otel_traces',
  )
  progress(`${spans} spans, ${traces} traces, ${operations} operations, ${attributes.toFixed(1)} attributes a span`)
  return spans
}

async function bytesOf(engine: Engine, tables: readonly string[]): Promise<number> {
  const names = tables.map((table) => `'${table}'`).join(', ')
  const [bytes = 0] = await engine.numbers(
    `SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() AND table IN (${names})`,
  )
  return bytes
}
