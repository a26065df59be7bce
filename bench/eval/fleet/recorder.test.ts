import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readRecorded, startRecorder } from './recorder.ts'

test('what is sent is read again as it came, up to one that was cut off', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'headwater-recorder-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = join(folder, 'sent.bin')
  const bodies = [Buffer.from([0, 255, 10]), Buffer.alloc(0), Buffer.alloc(100_000, 7)]
  {
    await using recorder = await startRecorder(file)
    for (const body of bodies) {
      const headers = { 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' }
      const answer = await fetch(`${recorder.url}/v1/traces`, { method: 'POST', headers, body })
      expect(answer.status).toBe(200)
    }
  }
  await appendFile(file, Buffer.from([9, 0, 0, 0, 1]))
  const read = await Array.fromAsync(readRecorded(file))
  expect(read.map(({ body }) => body)).toEqual(bodies)
  expect(read[0]).toMatchObject({
    path: '/v1/traces',
    headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' },
  })
})
