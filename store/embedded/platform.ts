// Which machines the embedded engines run on, said before the linker says it less kindly.

import { createRequire } from 'node:module'

/** The embedded engines do not run here; the message is one line and names the way out. */
export class UnsupportedPlatformError extends Error {
  override name = 'UnsupportedPlatformError'
}

/** What decides it. */
interface Platform {
  platform: string
  arch: string
  isMusl: boolean
  hasBinary: boolean
}

const wayOut = 'set CLICKHOUSE_URL and DATABASE_URL to use servers instead'

/** Why the engines cannot run on such a machine, or undefined when they can. */
function unsupportedReason({ platform, arch, isMusl, hasBinary }: Platform): string | undefined {
  const name = `${platform}-${arch}`
  if (platform === 'win32') return `The embedded engines do not run on Windows: use WSL 2, or ${wayOut}`
  if (!/^(linux|darwin)-(x64|arm64)$/.test(name)) return `The embedded engines do not run on ${name}: ${wayOut}`
  if (isMusl) return `The embedded engines need glibc, this Linux has musl: use a Debian-based image, or ${wayOut}`
  if (!hasBinary)
    return `The embedded ClickHouse for ${name} is not installed: run "npm ci" without --omit=optional, or ${wayOut}`
  return undefined
}

/** The binary is a dependency of chdb, which a strict installer does not hoist. */
function requireOfChdb(): NodeJS.Require {
  return createRequire(import.meta.resolve('chdb'))
}

const nativePackage = `@chdb/lib-${process.platform}-${process.arch}${process.platform === 'linux' ? '-gnu' : ''}`

/**
 * chdb's binding itself. Its wrapper, `Session`, keeps a closed connection open as long as any other one is busy, so
 * that one long query would hold thousands; and it does not pass on what an INSERT wrote.
 */
interface ChdbBinding {
  CreateConnection(path: string, args: readonly string[]): ChdbConnection
  /** Nothing may run on the connection any more. */
  CloseConnection(connection: ChdbConnection): void
  QueryAsyncConnection(
    connection: ChdbConnection,
    sql: string,
    format: string,
  ): Promise<{ bytes: Uint8Array; rowsRead: number; bytesRead: number }>
  /** Runs an INSERT and tells what it wrote, views included; the payload follows the statement. */
  InsertRawAsyncConnection(
    connection: ChdbConnection,
    sql: string,
    payload: Buffer,
    countLines: boolean,
  ): Promise<{ rowsWritten: number; bytesWritten: number }>
  StreamQuery(connection: ChdbConnection, sql: string, format: string): ChdbStream
  /** A stream that is done or has failed is freed; any other must be cancelled, and not during a fetch. */
  StreamFetch(stream: ChdbStream): Promise<{ done: true } | { done: false; bytes: Uint8Array }>
  StreamCancel(stream: ChdbStream): void
}

declare const connectionMark: unique symbol
declare const streamMark: unique symbol
interface ChdbConnection {
  readonly [connectionMark]: true
}
interface ChdbStream {
  readonly [streamMark]: true
}

export function loadChdbBinding(): ChdbBinding {
  return requireOfChdb()(nativePackage) as ChdbBinding
}

function thisPlatform(): Platform {
  const { platform, arch } = process
  // Without this a report looks up the name of every peer.
  Object.assign(process.report, { excludeNetwork: true })
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
  const isMusl = platform === 'linux' && report.header?.glibcVersionRuntime === undefined
  return { platform, arch, isMusl, hasBinary: isBinaryInstalled() }
}

function isBinaryInstalled(): boolean {
  try {
    requireOfChdb().resolve(nativePackage)
    return true
  } catch {
    return false
  }
}

/** Throws `UnsupportedPlatformError` unless the engines can run on the machine, which is this one. */
export function requireSupportedPlatform(platform: Platform = thisPlatform()): void {
  const reason = unsupportedReason(platform)
  if (reason !== undefined) throw new UnsupportedPlatformError(reason)
}
