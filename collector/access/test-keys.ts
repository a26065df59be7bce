import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { digestOf } from './api-key.ts'
import type { IngestKey } from './key-file.ts'

/** Gives each test of the file a folder of its own. */
export function testFolder(): { pathOf: (name: string) => string } {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'headwater-access-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))
  return { pathOf: (name) => join(folder, name) }
}

/** A key whose secret is `hw_` and its ID. */
export function testKey(id: string, name: string, rest: Partial<IngestKey> = {}): IngestKey {
  return { id, name, digest: digestOf(`hw_${id}`), createdAtMs: Date.UTC(2026, 10, 1), ...rest }
}
