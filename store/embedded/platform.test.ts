import { expect, test } from 'vitest'
import { requireSupportedPlatform, unsupportedReason } from './platform.ts'

const linux = { platform: 'linux', arch: 'x64', isMusl: false, hasBinary: true }

test('an unsupported platform gets one line that names the way out', () => {
  for (const platform of [
    { ...linux, platform: 'win32' },
    { ...linux, isMusl: true },
    { ...linux, arch: 'riscv64' },
    { ...linux, hasBinary: false },
  ]) {
    const reason = unsupportedReason(platform)
    expect(reason).toContain('CLICKHOUSE_URL')
    expect(reason).not.toContain('\n')
  }
})

test('supported platforms pass', () => {
  expect(unsupportedReason(linux)).toBeUndefined()
  expect(unsupportedReason({ ...linux, platform: 'darwin', arch: 'arm64' })).toBeUndefined()
  requireSupportedPlatform()
})
