import { z } from 'zod'
import { keyName, keyRate, keyRateMend, keyTime } from './key-file.ts'

/** What a new key is to be. */
export interface NewKey {
  name: string
  /** For all keys of this name; left out, what they have already. */
  recordsPerSecond?: number
  notAfterMs?: number
}

/** The same as a person writes it. */
export interface WrittenKey {
  name: string
  recordsPerSecond?: string
  notAfter?: string
}

const rate = z
  .string()
  .regex(/^\d{1,10}$/, keyRateMend)
  .transform(Number)
  .pipe(keyRate)

/** Understands what is asked for, or says what of it cannot be, and how to mend it. */
export function readNewKey({ name, recordsPerSecond, notAfter }: WrittenKey, nowMs: number): NewKey {
  const notAfterMs = notAfter === undefined ? undefined : read('end', keyTime, notAfter)
  if (notAfterMs !== undefined && notAfterMs <= nowMs)
    throw new Error(`Cannot make a key with the end "${notAfter}": give a time to come, this one is over`)
  return {
    name: read('name', keyName, name),
    ...(recordsPerSecond === undefined ? {} : { recordsPerSecond: read('records per second', rate, recordsPerSecond) }),
    ...(notAfterMs === undefined ? {} : { notAfterMs }),
  }
}

function read<T>(what: string, schema: z.ZodType<T>, written: string): T {
  const parsed = schema.safeParse(written)
  if (parsed.success) return parsed.data
  const shown = written.length > 80 ? `${written.slice(0, 80)}…` : written
  throw new Error(`Cannot make a key with the ${what} "${shown}": ${parsed.error.issues[0]?.message}`)
}
