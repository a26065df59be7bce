// Keys and certificates change while the collector runs. Looking at a file every two seconds works on every file system and
// through every link, which being told of changes does not.

import { statSync } from 'node:fs'

export interface FollowOptions<T> {
  paths: readonly string[]
  /** Reads the files; throws when they cannot be used. */
  read: () => T
  /** Called with each later version that could be read. */
  onNew: (value: T) => void
  log: (line: string) => void
}

const lookEveryMs = 2_000

/**
 * Reads the files now, which may throw, and again after they change. A version that cannot be read is told once and counts
 * for nothing. Two looks have to agree before a change is read: who writes may still be writing, or have a second file to go.
 */
export function followFiles<T>({ paths, read, onNew, log }: FollowOptions<T>): { first: T; stop: () => void } {
  let seen = stampOf(paths)
  let tried = seen
  const first = read()
  const look = () => {
    const stamp = stampOf(paths)
    const isSettled = stamp === seen
    seen = stamp
    if (!isSettled || stamp === tried) return
    tried = stamp
    try {
      onNew(read())
    } catch (error) {
      log(`${told(error)}. What was read before stays in force`)
    }
  }
  const timer = setInterval(look, lookEveryMs)
  timer.unref()
  return { first, stop: () => clearInterval(timer) }
}

/** Tells one version of the files from another without reading them. */
function stampOf(paths: readonly string[]): string {
  return paths
    .map((path) => {
      try {
        const { ino, size, mtimeMs, ctimeMs } = statSync(path)
        return `${ino}/${size}/${mtimeMs}/${ctimeMs}`
      } catch (error) {
        return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
      }
    })
    .join(' ')
}

function told(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}
