import { expect, test } from 'vitest'
import { requireSupportedPlatform, UnsupportedPlatformError } from './platform.ts'

const linux = { platform: 'linux', arch: 'x64', isMusl: false, hasBinary: true }

test.each([
  ['Windows', { ...linux, platform: 'win32' }],
  ['musl', { ...linux, isMusl: true }],
  ['linux-riscv64', { ...linux, arch: 'riscv64' }],
  ['npm ci', { ...linux, hasBinary: false }],
])('an unsupported platform gets one line that says %s and names the way out', (word, platform) => {
  const check = () => requireSupportedPlatform(platform)
  expect(check).toThrow(UnsupportedPlatformError)
  expect(check).toThrow(new RegExp(`^[^\\n]*${word}[^\\n]*CLICKHOUSE_URL[^\\n]*$`))
})

test('supported platforms pass, and this one is', () => {
  for (const platform of [linux, { ...linux, platform: 'darwin', arch: 'arm64' }, undefined])
    expect(() => requireSupportedPlatform(platform)).not.toThrow()
})
