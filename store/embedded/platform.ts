// Which machines the embedded engines run on, said before the linker says it less kindly.

import { createRequire } from 'node:module'

/** The embedded engines do not run here; the message is one line and names the way out. */
export class UnsupportedPlatformError extends Error {
  override name = 'UnsupportedPlatformError'
}

/** What decides it. */
export interface Platform {
  platform: string
  arch: string
  isMusl: boolean
  hasBinary: boolean
}

const wayOut = 'set CLICKHOUSE_URL and DATABASE_URL to use servers instead'

/** Why the engines cannot run on such a machine, or undefined when they can. */
export function unsupportedReason({ platform, arch, isMusl, hasBinary }: Platform): string | undefined {
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
  return createRequire(createRequire(import.meta.url).resolve('chdb'))
}

const nativePackage = `@chdb/lib-${process.platform}-${process.arch}${process.platform === 'linux' ? '-gnu' : ''}`

/** As much of chdb's binding as its own wrapper does not pass on. */
export interface ChdbBinding {
  /** Runs an INSERT and tells what it wrote, views included; the payload follows the statement. */
  InsertRawAsyncConnection(
    connection: unknown,
    statement: string,
    payload: Buffer,
    countLines: boolean,
  ): Promise<{ rowsWritten: number; bytesWritten: number }>
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

/** Throws `UnsupportedPlatformError` unless the engines can run on this machine. */
export function requireSupportedPlatform(): void {
  const reason = unsupportedReason(thisPlatform())
  if (reason !== undefined) throw new UnsupportedPlatformError(reason)
}
