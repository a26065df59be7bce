// Damage as disks and dying writers do it to the segments of a log that nobody has open.

import { randomBytes, randomInt } from 'node:crypto'
import { appendFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { realFiles } from '../log/files.ts'
import { readIdentity } from '../log/identity.ts'
import { openProgressFile } from '../log/progress-file.ts'
import { edgeBytes, encodeEdge, type Header, recordBytes } from '../log/record.ts'
import { scanSegment } from '../log/scan.ts'
import { segmentNumbers, segmentPath } from '../log/segment.ts'

interface FoundRecord {
  path: string
  offset: number
  header: Header
}

/** What one slot of a log holds of spans. */
interface Slot {
  id: Uint8Array
  /** The last segment's path; none in an empty log. */
  last: string | undefined
  records: FoundRecord[]
  /** Records that ClickHouse does not have and was not asked to take. */
  waiting: FoundRecord[]
}

async function readSlot(slot: string): Promise<Slot> {
  const paths = segmentNumbers(readdirSync(slot)).map((number) => segmentPath(slot, number))
  const id = await readIdentity(realFiles, join(slot, 'id'), paths)
  const records: FoundRecord[] = []
  for (const path of paths) {
    const file = await realFiles.open(path, 'read')
    try {
      for await (const finding of scanSegment(file, await file.size(), id)) {
        const { kind, offset, header } = finding
        if (kind === 'intact' && header.signal === 'traces') records.push({ path, offset, header })
      }
    } finally {
      await file.close()
    }
  }
  const { file, saved } = await openProgressFile(realFiles, join(slot, 'progress'))
  await file.close()
  const inFlight = saved.content?.inFlight ?? []
  const begun = [...(saved.content?.done.traces ?? []).map(([, last]) => last), ...inFlight.map(({ last }) => last)]
  const lastBegun = Math.max(0, ...begun)
  return { id, last: paths.at(-1), records, waiting: records.filter(({ header }) => header.sequence > lastBegun) }
}

/** Leaves at the end of the last segment what a dying writer or an old disk may leave there. */
export async function tearEnd(slot: string): Promise<void> {
  const { id, last, records } = await readSlot(slot)
  const [record] = records.slice(-1)
  if (last === undefined) return
  if (record === undefined || randomInt(2) === 0) {
    appendFileSync(last, randomInt(4) === 0 ? Buffer.alloc(randomInt(1, 5_000)) : randomBytes(randomInt(1, 200_000)))
    return
  }
  const bytes = readFileSync(record.path).subarray(
    record.offset + edgeBytes,
    record.offset + recordBytes(record.header) - edgeBytes,
  )
  const header = encodeEdge('header', { ...record.header, sequence: record.header.sequence + 1 }, id)
  const next = Buffer.concat([header, bytes])
  appendFileSync(last, next.subarray(0, randomInt(1, next.length)))
}

/** Cuts the last segment within what waits and was not acknowledged, if anything waits there. */
export async function cutWaiting(slot: string): Promise<void> {
  const { last, waiting } = await readSlot(slot)
  const first = waiting.find(({ path }) => path === last)
  if (last === undefined || first === undefined) return
  truncateSync(last, randomInt(first.offset, readFileSync(last).length))
}

/** Where in a record a bit is flipped. */
export type Part = 'header' | 'meta' | 'payload' | 'trailer'

/** The newest records may not have been acknowledged when their writer was killed. */
const perhapsNotAcknowledged = 6

/** Flips one bit of a record that waits; returns its rows, or undefined when too few wait. */
export async function flipBit(slot: string, part: Part): Promise<{ rows: number } | undefined> {
  const { waiting } = await readSlot(slot)
  const candidates = waiting.filter(({ header }) => header.rows > 0).slice(0, -perhapsNotAcknowledged)
  const record = candidates[candidates.length === 0 ? 0 : randomInt(candidates.length)]
  if (record === undefined) return undefined
  const { header, offset, path } = record
  const metaAt = offset + edgeBytes
  const payloadAt = metaAt + header.metaBytes
  const endAt = offset + recordBytes(header)
  const ranges: Readonly<Record<Part, readonly [number, number]>> = {
    header: [offset, metaAt],
    meta: [metaAt, payloadAt],
    payload: [payloadAt, endAt - edgeBytes],
    trailer: [endAt - edgeBytes, endAt],
  }
  const at = randomInt(...ranges[part])
  const bytes = readFileSync(path)
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << randomInt(8)), at)
  writeFileSync(path, bytes)
  return { rows: header.rows }
}
