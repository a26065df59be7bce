// Who may send is a file, so that it can be made by the command line, by hand or by whatever hands out secrets, and read by
// any number of collectors. It holds no secrets, only their digests.

import { closeSync, fchownSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { readSmallFile } from './small-file.ts'

/** A key as it is kept. */
export interface IngestKey {
  /** Of the sender; several keys may share it, so that a new one can take over from an old one. */
  name: string
  id: string
  /** SHA-256 of the secret. */
  digest: Buffer
  createdAtMs: number
  /** Refused from then on. */
  notAfterMs?: number
  /** What all keys of this name may send together; none is no limit. */
  recordsPerSecond?: number
}

/** The keys that may send. */
export interface KeyFile {
  keys: readonly IngestKey[]
}

/** What one file may hold. */
export const keysMax = 1_000

/** Four times what so many keys take. */
const fileBytesMax = 2 * 1024 * 1024

const nameMend = 'give 1 to 64 letters, digits, dots, dashes or underscores, a letter or digit first'
const timeMend = 'give a time such as 2027-01-31T00:00:00Z'
export const keyRateMend = 'give a whole number from 1 to 1000000000, or leave it out for no limit'
const digestMend = 'give the SHA-256 of the key as 64 hex digits'

const text = (form: RegExp, mend: string) => z.string(mend).regex(form, mend)
export const keyTime = z.iso.datetime({ offset: true, error: timeMend }).transform((written) => Date.parse(written))

export const keyName = text(/^[a-z0-9][\w.-]{0,63}$/i, nameMend)
export const keyRate = z.int(keyRateMend).min(1, keyRateMend).max(1_000_000_000, keyRateMend)

const keyForm = z
  .strictObject(
    {
      name: keyName,
      id: text(/^k_[0-9a-z]{8}$/, 'give k_ and 8 small letters or digits'),
      sha256: text(/^[0-9a-f]{64}$/i, digestMend).transform((hex) => Buffer.from(hex, 'hex')),
      createdAt: keyTime,
      notAfter: keyTime.optional(),
      recordsPerSecond: keyRate.optional(),
    },
    {
      error: formMend(
        '{"name":"shop","id":"k_…","sha256":"…","createdAt":"…"}, and notAfter and recordsPerSecond where wanted',
      ),
    },
  )
  .transform(({ name, id, sha256, createdAt, notAfter, recordsPerSecond }): IngestKey => ({
    name,
    id,
    digest: sha256,
    createdAtMs: createdAt,
    ...(notAfter === undefined ? {} : { notAfterMs: notAfter }),
    ...(recordsPerSecond === undefined ? {} : { recordsPerSecond }),
  }))

const fileForm = z.strictObject(
  {
    keys: z
      .array(keyForm, 'give a list of keys, empty for none')
      .max(keysMax, `give at most ${keysMax} keys, and remove those that nobody sends with`),
  },
  { error: formMend('{"keys":[…]}') },
)

/** Reads the file, or says what of it cannot be used, where, and how to mend it. */
export function readKeyFile(path: string): KeyFile {
  return parseKeyFile(readText(path), path)
}

function readText(path: string): string {
  try {
    return readSmallFile(path, { bytesMax: fileBytesMax })
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    const mend = isMissing
      ? 'there is no such file; make it with `headwater keys add NAME`'
      : 'name a file of keys that this user may read'
    throw new Error(`Cannot read the keys in ${path}: ${mend}`, { cause })
  }
}

/** Understands the text of a key file; the path is for the message. */
export function parseKeyFile(written: string, path: string): KeyFile {
  const value = parseJson(written, path)
  const parsed = fileForm.safeParse(value, { reportInput: true })
  const problem = parsed.success ? contradiction(parsed.data) : firstIssue(parsed.error)
  if (!parsed.success || problem !== undefined) throw new Error(`Cannot read the keys in ${path}: ${problem}`)
  return parsed.data
}

/** The parser's own words would quote the text, which is a secret when the wrong file was named. */
function parseJson(written: string, path: string): unknown {
  try {
    return JSON.parse(written)
  } catch (error) {
    const [place = ''] = / \(line \d+ column \d+\)/.exec(String(error)) ?? []
    // oxlint-disable-next-line preserve-caught-error
    throw new Error(
      `Cannot read the keys in ${path}: it is not JSON${place}; mend it, or write {"keys":[]} and add keys`,
    )
  }
}

function firstIssue({ issues: [issue] }: z.ZodError): string {
  const field = issue?.path.join('.') || 'the whole'
  return `${field} ${shown(field, issue?.input)}: ${issue?.message}`
}

/** Somebody may have put the secret where its digest belongs, or an object of secrets anywhere. */
function shown(field: string, value: unknown): string {
  if (value === undefined) return 'cannot be used'
  if (field.endsWith('sha256') || typeof value === 'object') return 'cannot be used (its value is not shown)'
  const written = JSON.stringify(value)
  return `is ${written.length > 80 ? `${written.slice(0, 80)}…` : written}`
}

function formMend(form: string): z.core.$ZodErrorMap {
  return (issue) => {
    const strays = issue.code === 'unrecognized_keys' ? `remove ${issue.keys.join(', ').slice(0, 200)}; ` : ''
    return `${strays}the form is ${form}`
  }
}

/** What each key may say alone, and keys may not say together. */
function contradiction({ keys }: KeyFile): string | undefined {
  const ids = new Set<string>()
  const digests = new Set<string>()
  const rates = new Map<string, number | undefined>()
  for (const [index, { id, digest, name, recordsPerSecond }] of keys.entries()) {
    const hex = digest.toString('hex')
    if (ids.has(id)) return `keys.${index}.id is "${id}" as that of another: give each key an ID of its own`
    if (digests.has(hex)) return `keys.${index}.sha256 is the same as that of another: remove one of the two`
    if (rates.has(name) && rates.get(name) !== recordsPerSecond) {
      const rate = recordsPerSecond ?? 'left out'
      return `keys.${index}.recordsPerSecond is ${rate}: give all keys of "${name}" the same, they send together`
    }
    ids.add(id)
    digests.add(hex)
    rates.set(name, recordsPerSecond)
  }
  return undefined
}

/** Replaces the file whole or not at all, for its owner only; whoever owned it before still does. */
export function writeKeyFile(path: string, file: KeyFile): void {
  const unfinished = `${path}.new`
  try {
    rmSync(unfinished, { force: true })
    const descriptor = openSync(unfinished, 'wx', 0o600)
    try {
      // An administrator adds keys for a collector that runs as somebody else.
      const before = statSync(path, { throwIfNoEntry: false })
      if (before !== undefined && before.uid !== process.getuid?.()) fchownSync(descriptor, before.uid, before.gid)
      writeFileSync(descriptor, formatKeyFile(file))
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(unfinished, path)
  } catch (cause) {
    throw new Error(`Cannot write ${file.keys.length} keys to ${path}: name a file that this user may write`, { cause })
  }
}

function formatKeyFile({ keys }: KeyFile): string {
  const written = keys.map(({ name, id, digest, createdAtMs, notAfterMs, recordsPerSecond }) => ({
    name,
    id,
    sha256: digest.toString('hex'),
    createdAt: new Date(createdAtMs).toISOString(),
    ...(notAfterMs === undefined ? {} : { notAfter: new Date(notAfterMs).toISOString() }),
    ...(recordsPerSecond === undefined ? {} : { recordsPerSecond }),
  }))
  return `${JSON.stringify({ keys: written }, null, 2)}\n`
}
