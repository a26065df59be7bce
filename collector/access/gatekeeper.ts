import { timingSafeEqual } from 'node:crypto'
import { digestOf } from './api-key.ts'
import type { IngestKey, KeyFile } from './key-file.ts'

/** Who sends, or why they may not. */
export type Admission =
  /** No keys are asked for. */
  | { kind: 'open'; key: '' }
  /** The name of the key, and what all keys of this name may send together. */
  | { kind: 'known'; key: string; recordsPerSecond?: number }
  /** For an answer 401: the reason tells the sender what to do and bears no secret. */
  | { kind: 'refused'; reason: string }

export interface Gatekeeper {
  /** Decides by the headers `authorization` and `x-api-key`; the first counts where both bear a key. */
  admit(authorization: string | undefined, apiKey?: string): Admission
}

export interface GatekeeperOptions {
  /** The keys as they are now; none is an open door. */
  keys: () => KeyFile | undefined
  nowMs: () => number
}

const headerCharactersMax = 512

/** Lets in who shows a key of the file. */
export function createGatekeeper({ keys, nowMs }: GatekeeperOptions): Gatekeeper {
  return {
    admit(authorization, apiKey) {
      const file = keys()
      if (file === undefined) return { kind: 'open', key: '' }
      const longest = Math.max(authorization?.length ?? 0, apiKey?.length ?? 0)
      if (longest > headerCharactersMax)
        return refused(`The key comes in a header of ${longest} characters, at most ${headerCharactersMax} may be sent`)
      const secret = bearerOf(authorization) ?? apiKey?.trim()
      if (!secret) return refused('No key came: send "authorization: Bearer hw_…", or the key as x-api-key')
      const key = find(file.keys, digestOf(secret))
      if (key === undefined) return refused('The key is not known here: ask for one made by `headwater keys add`')
      if (key.notAfterMs !== undefined && nowMs() >= key.notAfterMs) {
        const end = new Date(key.notAfterMs).toISOString()
        return refused(`The key ${key.id} of "${key.name}" was good until ${end}: ask for a new one`)
      }
      const { name, recordsPerSecond } = key
      return { kind: 'known', key: name, ...(recordsPerSecond === undefined ? {} : { recordsPerSecond }) }
    },
  }
}

function refused(reason: string): Admission {
  return { kind: 'refused', reason }
}

function bearerOf(authorization: string | undefined): string | undefined {
  return /^\s*bearer\s+(\S+)\s*$/i.exec(authorization ?? '')?.[1]
}

/** Compares with every key, so that the time it takes tells nothing of which one was nearly right. */
function find(keys: readonly IngestKey[], digest: Buffer): IngestKey | undefined {
  let found: IngestKey | undefined
  for (const key of keys) if (timingSafeEqual(key.digest, digest)) found = key
  return found
}
