// The console: static files, the same for everybody, so they need no token. What they may do in a browser is told by a
// policy: nothing but our own files, no script or style within a page, nobody else's server.
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join, sep } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Api } from './parts.ts'

/** Places of the console; which of them, its router knows. */
export const pages: readonly string[] = [
  '/',
  '/incidents',
  '/incidents/:id',
  '/runs',
  '/runs/:id',
  '/service',
  '/flow',
  '/services',
  '/flows',
  '/search',
  '/start',
]

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
}

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  // No text becomes a script, whatever a library does; one policy makes the address of the worker that lays out the map.
  "require-trusted-types-for 'script'",
  'trusted-types layout',
].join('; ')

interface File {
  path: string
  type: string
  body?: { plain: Uint8Array<ArrayBuffer>; gzip: Uint8Array<ArrayBuffer> }
}

/** Serves the console from the folder that its build wrote; without one, tells how to build it. */
export function serveConsole(api: Api, { directory }: { directory: string | undefined }): void {
  const files = directory === undefined ? new Map<string, File>() : filesIn(directory)
  const index = files.get('/index.html')
  for (const page of pages) {
    api.get(page, (c) => {
      if (index !== undefined) return answerWith(index, c.req.header('accept-encoding'), false)
      const text =
        'The console is not built here: `npm start` builds it, and so does `npm run build:console`. The API answers; see /openapi.json\n'
      return c.text(text, 404)
    })
  }
  for (const [path, file] of files) {
    if (path === '/index.html') continue
    // The build puts a digest of their content into the names of all within /assets/.
    api.get(path, (c) => answerWith(file, c.req.header('accept-encoding'), path.startsWith('/assets/')))
  }
}

function answerWith(file: File, accepted: string | undefined, isForever: boolean): Response {
  file.body ??= read(file.path)
  const isPacked = /\bgzip\b/.test(accepted ?? '')
  return new Response(isPacked ? file.body.gzip : file.body.plain, {
    headers: {
      'content-type': file.type,
      'content-security-policy': policy,
      'cache-control': isForever ? 'public, max-age=31536000, immutable' : 'no-cache',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      vary: 'accept-encoding',
      ...(isPacked && { 'content-encoding': 'gzip' }),
    },
  })
}

function read(path: string): NonNullable<File['body']> {
  const plain = new Uint8Array(readFileSync(path))
  return { plain, gzip: new Uint8Array(gzipSync(plain)) }
}

/** What is in the folder when we start, by the path that it is asked for. Nothing else can be asked for. */
function filesIn(directory: string): Map<string, File> {
  const paths = listOf(directory)
  return new Map(
    paths.flatMap((path): [string, File][] => {
      const type = types[extname(path)]
      if (type === undefined) return []
      return [[`/${path.split(sep).join('/')}`, { path: join(directory, path), type }]]
    }),
  )
}

function listOf(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, encoding: 'utf8' })
  } catch {
    return []
  }
}
