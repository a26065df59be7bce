// The collector's parts, to be measured one by one. Its package gives out the whole only, so they are loaded by their place in
// it, and typed here as far as they are used.

import type { Hono } from 'hono'

/** What became of a request's records. */
interface Walked {
  records: number
  rejections: { count: number; describe(records: number, what: string): string }
}

interface Window {
  fromNs: bigint
  toNs: bigint
}

/** Writes requests into a block. */
export interface SpanWalker {
  walk(body: Uint8Array, window: Window): Walked
}

interface Columns {
  readonly rows: number
  walk(body: Uint8Array): Walked
  seal(): Buffer
}

/** What protobufjs makes of a message's definition. */
interface RequestType {
  decode(bytes: Uint8Array): object
  create(properties: object): object
  encode(message: object): { finish(): Uint8Array }
  fromObject(json: object): object
  toObject(message: object, options: Record<string, unknown>): object
}

interface Parts {
  'access/gatekeeper.ts': { createGatekeeper: (options: { keys: () => undefined; nowMs: () => number }) => unknown }
  'access/quota.ts': { createQuota: (options: { keys: () => undefined }) => unknown }
  'app.ts': { createApp: (options: Record<string, unknown>) => Hono }
  'block-builder.ts': {
    BlockBuilder: new (
      columns: Columns,
      limits: { rowsMax: number; bytesMax: number; lingerMs: number; sealedMax: number },
      keep: (block: { payload: Uint8Array[] }) => Promise<void>,
    ) => unknown
  }
  'give-back.ts': { giveBack: (bytes: Uint8Array) => void }
  'heap.ts': { collectLessOften: () => void }
  'in-flight-bytes.ts': {
    InFlightBytes: new (options: { bytesMax: number; onChange: (bytes: number) => void }) => unknown
  }
  'ledger.ts': { Ledger: new (metrics: unknown) => unknown }
  'metrics.ts': { createCollectorMetrics: () => unknown }
  'otlp/reference/schema.ts': { exportTraceRequest: RequestType }
  'otlp/span-walker.ts': {
    SpanWalker: new (
      block: unknown,
      redaction: unknown,
      limits: { recordsMax: number; repeatedBytesMax: number; columnBytesMax: number },
    ) => SpanWalker
  }
  'recent-requests.ts': {
    RecentRequests: new (options: { requestsMax: number; forgetAfterMs: number }) => unknown
  }
  'redaction/redaction.ts': {
    createRedaction: (rules: unknown, options: { hashKey: string | undefined }) => unknown
  }
  'redaction/rules.ts': { readRules: (path: string | undefined) => unknown }
}

/** Loads one file of the collector. */
export async function loadPart<F extends keyof Parts>(file: F): Promise<Parts[F]> {
  return (await import(new URL(file, import.meta.resolve('@headwater/collector')).href)) as Parts[F]
}

/** Spans of the last month, as the collector takes them. */
export function windowOf(nowMs: number): Window {
  const dayNs = 86_400_000_000_000n
  const nowNs = BigInt(Math.trunc(nowMs)) * 1_000_000n
  return { fromNs: nowNs - 30n * dayNs, toNs: nowNs + dayNs }
}
