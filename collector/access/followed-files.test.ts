import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { followFiles } from './followed-files.ts'
import { testFolder } from './test-keys.ts'

const { pathOf } = testFolder()
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const look = () => vi.advanceTimersByTime(2_000)

/** Two files whose texts have to be the same, as certificate and key have to belong together. */
function followPair(): { news: string[]; lines: string[]; stop: () => void } {
  const news: string[] = []
  const lines: string[] = []
  const paths = [pathOf('one'), pathOf('two')]
  const { first, stop } = followFiles({
    paths,
    read: () => {
      const [one, two] = paths.map((path) => readFileSync(path, 'utf8'))
      if (one === undefined || one !== two) throw new Error('Cannot read the pair: the two differ')
      return one
    },
    onNew: (text) => news.push(text),
    log: (line) => lines.push(line),
  })
  news.push(first)
  return { news, lines, stop }
}

function write(one: string, two = one): void {
  writeFileSync(pathOf('one'), one)
  writeFileSync(pathOf('two'), two)
}

test('files that cannot be read at the start are refused, and not looked at again', () => {
  expect(() => followPair()).toThrow('ENOENT')
  expect(vi.getTimerCount()).toBe(0)
})

test('a change is read at the second look that finds it, and once', () => {
  write('old')
  const { news, lines, stop } = followPair()
  look()
  write('newer')
  look()
  expect(news).toEqual(['old'])
  for (let looks = 0; looks < 5; looks++) look()
  expect(news).toEqual(['old', 'newer'])
  expect(lines).toEqual([])
  stop()
})

test('a pair of which the second is written later is never seen half', () => {
  write('old')
  const { news, lines, stop } = followPair()
  writeFileSync(pathOf('one'), 'newer')
  look()
  writeFileSync(pathOf('two'), 'newer')
  look()
  look()
  expect({ news, lines }).toEqual({ news: ['old', 'newer'], lines: [] })
  stop()
})

test('a version that cannot be read is told once, and the next good one counts', () => {
  write('old')
  const { news, lines, stop } = followPair()
  write('one', 'another')
  for (let looks = 0; looks < 5; looks++) look()
  expect(news).toEqual(['old'])
  expect(lines).toEqual(['Cannot read the pair: the two differ. What was read before stays in force'])
  write('mended')
  for (let looks = 0; looks < 5; looks++) look()
  expect(news).toEqual(['old', 'mended'])
  expect(lines).toHaveLength(1)
  stop()
})

test('a file that vanishes is told once, and read again when it is back', () => {
  write('old')
  const { news, lines, stop } = followPair()
  renameSync(pathOf('one'), pathOf('away'))
  for (let looks = 0; looks < 5; looks++) look()
  expect(lines).toEqual([expect.stringContaining('ENOENT')])
  renameSync(pathOf('away'), pathOf('one'))
  look()
  look()
  expect({ news, lines: lines.length }).toEqual({ news: ['old', 'old'], lines: 1 })
  stop()
})

test('a replaced file of the same size counts as changed', () => {
  write('old')
  const { news, stop } = followPair()
  for (const name of ['one', 'two']) {
    writeFileSync(pathOf('unfinished'), 'new')
    renameSync(pathOf('unfinished'), pathOf(name))
  }
  look()
  look()
  expect(news).toEqual(['old', 'new'])
  stop()
})

test('nothing is looked at after the stop', () => {
  write('old')
  const { news, lines, stop } = followPair()
  stop()
  rmSync(pathOf('one'))
  look()
  look()
  expect({ news, lines, timers: vi.getTimerCount() }).toEqual({ news: ['old'], lines: [], timers: 0 })
})
