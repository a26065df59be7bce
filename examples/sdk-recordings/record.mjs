// Answers a program's OTLP/HTTP requests as a collector would, and keeps each as it came over the wire.
//
//   node record.mjs FOLDER COMMAND [ARGUMENT...]
//
// The command finds the endpoint in OTEL_EXPORTER_OTLP_ENDPOINT and names each of its requests in the header
// `recording`. FOLDER/NAME.body gets the bytes, still compressed, FOLDER/NAME.request.json what the headers said.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'

const bodyBytesMax = 20 * 1024 * 1024
const [folder, command, ...commandArguments] = process.argv.slice(2)
if (folder === undefined || command === undefined) {
  throw new Error('Nothing to record. Say where and whom: node record.mjs FOLDER COMMAND [ARGUMENT...]')
}
mkdirSync(folder, { recursive: true })

/** What a request is kept as; a name stands for one request, so a second one means that a batch was split. */
function keep(request, body) {
  const name = String(request.headers.recording)
  if (!/^[a-z0-9-]+$/.test(name)) return `header recording is "${name}"; name the request in a-z, 0-9 and -`
  if (body.length > bodyBytesMax) return `"${name}" has ${body.length} bytes; record at most ${bodyBytesMax}`
  if (existsSync(join(folder, `${name}.body`))) return `"${name}" is there already; record into an empty folder`
  const sidecar = {
    path: request.url,
    contentType: request.headers['content-type'] ?? '',
    contentEncoding: request.headers['content-encoding'] ?? '',
    userAgent: request.headers['user-agent'] ?? '',
  }
  writeFileSync(join(folder, `${name}.body`), body)
  writeFileSync(join(folder, `${name}.request.json`), `${JSON.stringify(sidecar, null, 2)}\n`)
  process.stdout.write(`${name}: ${body.length} bytes\n`)
  return undefined
}

const refusals = []
async function answer(request, response) {
  const refusal = keep(request, await buffer(request))
  if (refusal !== undefined) refusals.push(refusal)
  const isJson = request.headers['content-type'] === 'application/json'
  response.writeHead(refusal === undefined ? 200 : 400, {
    'content-type': isJson ? 'application/json' : 'application/x-protobuf',
  })
  // A response without fields: an empty object in JSON, no bytes in protobuf.
  response.end(isJson ? '{}' : '')
}

const server = createServer((request, response) => {
  answer(request, response).catch((cause) => {
    refusals.push(`cannot keep ${request.url}: ${String(cause)}`)
    response.destroy()
  })
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')

const program = spawn(command, commandArguments, {
  stdio: ['ignore', 'inherit', 'inherit'],
  env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${server.address().port}` },
})
const [code, signal] = await once(program, 'exit')
server.closeAllConnections()
server.close()
if (code !== 0) throw new Error(`Recorded nothing whole: ${command} ended with ${signal ?? code}`)
if (refusals.length > 0) throw new Error(`Refused ${refusals.length} requests:\n${refusals.join('\n')}`)
