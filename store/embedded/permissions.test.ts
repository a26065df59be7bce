import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startEngines } from './engines.ts'

test('nobody else can read or write what the engines keep, also in a directory that is open to all', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'headwater-test-'))
  try {
    await chmod(dataDir, 0o777)
    const engines = await startEngines({ dataDir })
    await engines.stop()
    const modes = await Promise.all(
      (await readdir(dataDir)).map(async (name) => [name, (await stat(join(dataDir, name))).mode & 0o077] as const),
    )
    expect(modes.filter(([, others]) => others !== 0)).toEqual([])
    expect(modes.map(([name]) => name)).toContain('postgres')
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}, 60_000)
