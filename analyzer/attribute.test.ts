import { expect, test } from 'vitest'
import { tellingAttribute } from './attribute.ts'

/** One line per version and instance: `2.0.0 pod-2: 40 of 50 bad`. */
function tellingIn(table: string): string | undefined {
  const rows = table
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, version = '', instance = '', bad, calls] = /^\s*(\S+) (\S+): (\d+) of (\d+) bad$/.exec(line) ?? []
      const named = (text: string) => (text === '-' ? '' : text)
      return { version: named(version), instance: named(instance), bad: Number(bad), calls: Number(calls) }
    })
  const attribute = tellingAttribute(rows)
  return attribute && `${attribute.name}=${attribute.value} ${attribute.badShare} against ${attribute.goodShare}`
}

test('a bad version on one of two instances is told as the version', () => {
  expect(
    tellingIn(`
      1.0.0 pod-1: 1 of 50 bad
      2.0.0 pod-2: 45 of 50 bad`),
  ).toBe('service.version=2.0.0 0.9 against 0.02')
})

test('a bad version on several instances is told as the version, not as any of them', () => {
  expect(
    tellingIn(`
      1.0.0 pod-1: 0 of 50 bad
      2.0.0 pod-2: 40 of 50 bad
      2.0.0 pod-3: 41 of 50 bad`),
  ).toBe('service.version=2.0.0 0.81 against 0')
})

test('one bad instance of one version is told as the instance', () => {
  expect(
    tellingIn(`
      1.0.0 pod-1: 1 of 50 bad
      1.0.0 pod-2: 0 of 50 bad
      1.0.0 pod-3: 48 of 50 bad`),
  ).toBe('service.instance.id=pod-3 0.96 against 0.01')
})

test('where all instances and versions are as bad, nothing is telling', () => {
  expect(
    tellingIn(`
      1.0.0 pod-1: 30 of 50 bad
      2.0.0 pod-2: 28 of 50 bad`),
  ).toBeUndefined()
})

test('a difference that a few calls may make by chance is not telling', () => {
  expect(
    tellingIn(`
      1.0.0 pod-1: 0 of 3 bad
      2.0.0 pod-2: 2 of 3 bad`),
  ).toBeUndefined()
})

test('a small difference is not telling, however certain', () => {
  expect(
    tellingIn(`
      1.0.0 pod-1: 2000 of 10000 bad
      2.0.0 pod-2: 4000 of 10000 bad`),
  ).toBeUndefined()
})

test('with a single version and instance there is nothing to compare', () => {
  expect(tellingIn('1.0.0 pod-1: 50 of 50 bad')).toBeUndefined()
  expect(tellingIn('')).toBeUndefined()
})

test('where nothing is bad, nothing is telling', () => {
  expect(
    tellingIn(`
      1.0.0 pod-1: 0 of 50 bad
      2.0.0 pod-2: 0 of 50 bad`),
  ).toBeUndefined()
})

test('calls that bear no version or instance are compared with, and never told', () => {
  expect(
    tellingIn(`
      - -: 45 of 50 bad
      2.0.0 -: 0 of 50 bad`),
  ).toBeUndefined()
  expect(
    tellingIn(`
      - -: 0 of 50 bad
      2.0.0 -: 45 of 50 bad`),
  ).toBe('service.version=2.0.0 0.9 against 0')
})

test('of two bad values the one is told that explains more of the bad calls', () => {
  expect(
    tellingIn(`
      1.0.0 pod-1: 0 of 200 bad
      1.0.0 pod-2: 20 of 20 bad
      1.0.0 pod-3: 150 of 160 bad`),
  ).toBe('service.instance.id=pod-3 0.938 against 0.091')
})
