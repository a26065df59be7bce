import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crcOf, encodeEdge, recordBytes, type Header } from './record.ts'
import { scanSegment, type Finding } from './scan.ts'
import { memoryFile } from './test-disk.ts'

const id = Buffer.from('00112233445566778899aabbccddeeff', 'hex')

interface TestRecord {
  bytes: Buffer
  header: Header
  from: number
  to: number
}

/** A segment of records whose payloads are so long. */
function segmentOf(payloads: readonly Uint8Array[], owner: Uint8Array = id): { bytes: Buffer; records: TestRecord[] } {
  const records: TestRecord[] = []
  let from = 0
  for (const [index, payload] of payloads.entries()) {
    const meta = Buffer.from(JSON.stringify({ index }))
    const sizes = { metaBytes: meta.length, payloadBytes: payload.length }
    const crcs = { metaCrc: crcOf([meta]), payloadCrc: crcOf([payload]) }
    const header: Header = { signal: 'traces', sequence: index + 1, rows: index + 10, ...sizes, ...crcs }
    const ends = [encodeEdge('header', header, owner), encodeEdge('trailer', header, owner)] as const
    const bytes = Buffer.concat([ends[0], meta, payload, ends[1]])
    records.push({ bytes, header, from, to: from + bytes.length })
    from += bytes.length
  }
  return { bytes: Buffer.concat(records.map((record) => record.bytes)), records }
}

async function scan(bytes: Uint8Array): Promise<Finding[]> {
  const findings: Finding[] = []
  for await (const finding of scanSegment(memoryFile(bytes), bytes.length, id)) findings.push(finding)
  return findings
}

/** Each finding in a word and its record's number; they cover the bytes without a gap. */
async function story(bytes: Uint8Array): Promise<string[]> {
  const findings = await scan(bytes)
  let at = 0
  for (const finding of findings) {
    expect(finding.offset).toBe(at)
    at = finding.kind === 'intact' ? at + recordBytes(finding.header) : finding.end
  }
  expect(at).toBe(bytes.length)
  return findings.map(({ kind, header }) => (header === undefined ? kind : `${kind} ${header.sequence}`))
}

const segments = fc
  .array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 6 })
  .map((payloads) => segmentOf(payloads))

test('a segment is read back as it was written', async () => {
  await fc.assert(
    fc.asyncProperty(segments, async ({ bytes, records }) => {
      const findings = await scan(bytes)
      expect(findings.map(({ kind }) => kind)).toEqual(records.map(() => 'intact'))
      expect(findings.map(({ header }) => header)).toEqual(records.map(({ header }) => header))
    }),
  )
})

test('a flipped bit costs its record at most, and it is known which', async () => {
  await fc.assert(
    fc.asyncProperty(segments, fc.nat(), async ({ bytes, records }, number) => {
      const bit = number % (bytes.length * 8)
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const hit = records.find(({ to }) => to > bit >> 3)?.header.sequence
      const told = await story(bytes)
      const whole = records.map(({ header }) => `intact ${header.sequence}`)
      const damaged = records.map(
        ({ header: { sequence } }) => `${sequence === hit ? 'damaged' : 'intact'} ${sequence}`,
      )
      expect([whole, damaged]).toContainEqual(told)
      const payloadAt = (records.find(({ to }) => to > bit >> 3)?.from ?? 0) + 56
      const isInEdge = bit >> 3 < payloadAt || records.some(({ to }) => bit >> 3 < to && bit >> 3 >= to - 56)
      expect(told).toEqual(isInEdge ? whole : damaged)
    }),
    { numRuns: 400 },
  )
})

test('of a segment that is cut anywhere a prefix is intact, and nothing is invented', async () => {
  await fc.assert(
    fc.asyncProperty(segments, fc.nat(), async ({ bytes, records }, number) => {
      const length = number % (bytes.length + 1)
      const whole = records.filter(({ to }) => to <= length).map(({ header }) => `intact ${header.sequence}`)
      const told = await story(bytes.subarray(0, length))
      expect(told.slice(0, whole.length)).toEqual(whole)
      const rest = told.slice(whole.length).map((each) => each.split(' ')[0])
      expect(rest).toEqual(length === (records[whole.length - 1]?.to ?? 0) ? [] : ['torn'])
    }),
    { numRuns: 300 },
  )
})

test('whatever else happens to the bytes, records that are told intact are those that were written', async () => {
  const harms = fc.array(fc.record({ at: fc.nat(), remove: fc.nat(80), put: fc.uint8Array({ maxLength: 80 }) }), {
    minLength: 1,
    maxLength: 4,
  })
  await fc.assert(
    fc.asyncProperty(segments, harms, async ({ bytes, records }, all) => {
      let harmed = bytes
      for (const { at, remove, put } of all) {
        const from = at % (harmed.length + 1)
        harmed = Buffer.concat([harmed.subarray(0, from), put, harmed.subarray(from + remove)])
      }
      await story(harmed)
      for (const finding of await scan(harmed)) {
        if (finding.kind !== 'intact') continue
        expect(records.map(({ header }) => header)).toContainEqual(finding.header)
      }
    }),
    { numRuns: 300 },
  )
})

test('a record that a client has put into a payload is none', async () => {
  const foreign = segmentOf([Buffer.from('forged')], Buffer.alloc(16, 1)).bytes
  const { bytes, records } = segmentOf([Buffer.concat([foreign, foreign]), Buffer.from('good')])
  // Both ends of the first are damaged, so that the scan has to search through the payload.
  for (const at of [8, (records[0]?.to ?? 0) - 8]) bytes[at] = 0xff
  expect(await story(bytes)).toEqual(['damaged', 'intact 2'])
})

test('payloads larger than a window are read through it', async () => {
  const large = Buffer.alloc(3 * 1024 * 1024 + 17, 'x')
  const { bytes, records } = segmentOf([large, Buffer.from('small'), large])
  expect(await story(bytes)).toEqual(['intact 1', 'intact 2', 'intact 3'])
  bytes[2 * 1024 * 1024] = 0
  expect(await story(bytes)).toEqual(['damaged 1', 'intact 2', 'intact 3'])
  // And its two ends gone too: the next record is found a long way on.
  for (const at of [0, (records[0]?.to ?? 0) - 1]) bytes[at] = 0xff
  expect(await story(bytes)).toEqual(['damaged', 'intact 2', 'intact 3'])
})

test('bytes missing from the middle cost the record that they are missing from', async () => {
  const { bytes, records } = segmentOf([Buffer.alloc(200, 'a'), Buffer.alloc(200, 'b'), Buffer.alloc(200, 'c')])
  const at = (records[1]?.from ?? 0) + 100
  expect(await story(Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 40)]))).toEqual([
    'intact 1',
    'damaged 2',
    'intact 3',
  ])
})
