// What a process could not send because it died waits here for the next start: a request of OTLP, as it is to be posted.

import { createHash } from 'node:crypto'
import {
  type Stats,
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Encoding } from './post.ts'

/** Largest request that is left behind. */
export const spoolBytesMax = 65_536
/** A service that dies at every start leaves no more than these. */
const filesMax = 16
const keptForMs = 86_400_000
const anyForm = /^[0-9a-f]{16}-\d+-\d+-\d+-\w+\.otlp(?:\.\d+)?$/

/** A request left behind. */
export interface Leftover {
  body: Buffer
  encoding: Encoding
  spans: number
  /** It has been taken, or will never be. */
  settle: () => void
}

export interface Spool {
  /** Why nothing can be left behind, and what to do, if that is known now. */
  refusal: () => string | undefined
  /** Leaves a request behind, at once; tells whether it could. */
  leave: (left: Pick<Leftover, 'body' | 'encoding' | 'spans'>) => boolean
  /** What earlier processes of this service have left behind, now this one's to send. */
  claim: () => Leftover[]
}

/** `service` and `endpoint` say what belongs together; nobody but this user can read or write what is left. */
export function spoolFor(settings: { service: string; endpoint: string; directory: string | undefined }): Spool {
  const directory = settings.directory ?? join(tmpdir(), `headwater-agent-${ownUid()}`)
  const name = createHash('sha256').update(`${settings.service}\n${settings.endpoint}`).digest('hex').slice(0, 16)
  const form = new RegExp(`^${name}-\\d+-\\d+-(\\d+)-(identity|gzip|zstd)\\.otlp(?:\\.(\\d+))?$`)

  function refusal(): string | undefined {
    const why = reasonAgainst(directory)
    return why === undefined
      ? undefined
      : `HEADWATER_SPOOL: what cannot be sent when the process dies is lost: ${directory} ${why}; ` +
          'name a directory that only this user can write to, or none'
  }

  function leave({ body, encoding, spans }: Pick<Leftover, 'body' | 'encoding' | 'spans'>): boolean {
    try {
      if (body.length > spoolBytesMax || filesOf().length >= filesMax) return false
      mkdirSync(directory, { mode: 0o700, recursive: true })
      if (!isOurs(directory)) return false
      const file = join(directory, `${name}-${process.pid}-${Date.now()}-${spans}-${encoding}.otlp`)
      writeFileSync(file, body, { mode: 0o600, flag: 'wx' })
      return true
    } catch {
      // A disk that is full or read-only.
      return false
    }
  }

  function claim(): Leftover[] {
    forgetOld()
    return filesOf().flatMap((file) => {
      try {
        return claimFile(file) ?? []
      } catch {
        // Another process of this service has it.
        return []
      }
    })
  }

  function claimFile(file: string): Leftover | undefined {
    const [, spans = '', encoding = 'identity', holder] = form.exec(file) ?? []
    // In a container the next process has the number of the last one.
    const isHeld = holder !== undefined && Number(holder) !== process.pid && isRunning(Number(holder))
    if (isHeld) return undefined
    const path = join(directory, file)
    if (statSync(path).size > spoolBytesMax) {
      unlinkSync(path)
      return undefined
    }
    const mine = `${path.replace(/\.otlp.*$/, '.otlp')}.${process.pid}`
    renameSync(path, mine)
    return {
      body: readFileSync(mine),
      encoding: encoding as Encoding,
      spans: Number(spans),
      settle: () => forget(mine),
    }
  }

  /** Of all services: one that never starts again comes for nothing. */
  function forgetOld(): void {
    for (const file of filesOf(anyForm)) {
      const path = join(directory, file)
      const stats = statSync(path, { throwIfNoEntry: false })
      if (stats !== undefined && Date.now() - stats.mtimeMs > keptForMs) forget(path)
    }
  }

  function filesOf(wanted: RegExp = form): string[] {
    try {
      return isOurs(directory) ? readdirSync(directory).filter((file) => wanted.test(file)) : []
    } catch {
      return []
    }
  }

  return { refusal, leave, claim }
}

function forget(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Whoever has cleared the directory has done the same.
  }
}

/** A user may have a number only, as in containers. */
function ownUid(): number {
  return process.getuid?.() ?? 0
}

function isOurs(directory: string): boolean {
  return objectionTo(lstatSync(directory)) === undefined
}

/** In a directory that everybody may write to, somebody else could have made it first. */
function objectionTo(found: Stats): string | undefined {
  if (!found.isDirectory()) return 'is none'
  if (found.uid !== ownUid()) return 'is another user’s'
  return (found.mode & 0o022) === 0 ? undefined : 'is no private one: others can write to it'
}

/** What is not there yet is made when it is needed. */
function reasonAgainst(directory: string): string | undefined {
  try {
    let at = directory
    while (!existsSync(at)) at = dirname(at)
    const objection = at === directory ? objectionTo(lstatSync(at)) : undefined
    if (objection !== undefined) return objection
    if (!statSync(at).isDirectory()) return `cannot be made: ${at} is a file`
    accessSync(at, constants.W_OK | constants.X_OK)
    return undefined
  } catch {
    return 'cannot be written to'
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
