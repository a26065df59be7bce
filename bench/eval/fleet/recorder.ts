// What services send, kept as it came: body after body in one file, to be sent again later.

import { open, type FileHandle } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import * as z from 'zod'

const headSchema = z.object({
  /** Unix milliseconds. */
  atMs: z.number(),
  path: z.string(),
  headers: z.record(z.string(), z.string()),
})

/** One request of an exporter. */
export interface Recorded extends z.infer<typeof headSchema> {
  body: Buffer
}

export interface Recorder extends AsyncDisposable {
  /** Where to send to, as to a collector. */
  url: string
}

/** Answers 200 to everything, and appends it to the file. */
export async function startRecorder(file: string): Promise<Recorder> {
  const handle = await open(file, 'a')
  let written: Promise<unknown> = Promise.resolve()
  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request)
    const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = request.headers
    const headers = { 'content-type': type, 'content-encoding': encoding }
    const head = Buffer.from(JSON.stringify({ atMs: Date.now(), path: request.url ?? '', headers }))
    const lengths = Buffer.alloc(8)
    lengths.writeUInt32LE(head.length, 0)
    lengths.writeUInt32LE(body.length, 4)
    written = written.then(() => handle.write(Buffer.concat([lengths, head, body])))
    response.writeHead(200, { 'content-type': type }).end(type.includes('json') ? '{}' : '')
  }
  const server = createServer((request, response) => {
    receive(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      })
      await written
      await handle.close()
    },
  }
}

/** The requests of a file, in the order in which they came. One that was cut off at the end is left out. */
export async function* readRecorded(file: string): AsyncGenerator<Recorded> {
  const handle = await open(file)
  try {
    let at = 0
    for (;;) {
      const lengths = await readExactly(handle, at, 8)
      if (lengths === undefined) return
      const [headLength, bodyLength] = [lengths.readUInt32LE(0), lengths.readUInt32LE(4)]
      const whole = await readExactly(handle, at + 8, headLength + bodyLength)
      if (whole === undefined) return
      const head = headSchema.parse(JSON.parse(whole.subarray(0, headLength).toString()))
      yield { ...head, body: whole.subarray(headLength) }
      at += 8 + headLength + bodyLength
    }
  } finally {
    await handle.close()
  }
}

async function readExactly(handle: FileHandle, position: number, length: number): Promise<Buffer | undefined> {
  const { buffer: bytes, bytesRead } = await handle.read({ buffer: Buffer.alloc(length), position })
  return bytesRead === length ? bytes : undefined
}
