import { expect, test } from 'vitest'
import { Halves, pathAfter } from './halves.ts'
import { blockOf, rowsOf, splitBlock } from './test-clickhouse.ts'

test('after a piece comes its other half, then that of what contains it', () => {
  const paths = ['000']
  for (let next = pathAfter('000'); next !== undefined; next = pathAfter(next)) paths.push(next)
  expect(paths).toEqual(['000', '001', '01', '1'])
  expect(pathAfter('')).toBeUndefined()
})

test('pieces that are halved wherever they can be are the rows in their order', () => {
  const rows = ['a', 'b', 'c', 'd', 'e']
  const halves = new Halves({ block: blockOf(rows), rows: rows.length }, splitBlock)
  const seen: string[] = []
  const sizes = new Set<number | undefined>()
  for (let path: string | undefined = ''; path !== undefined;) {
    if (halves.halve(path)) path += '0'
    else {
      const piece = halves.at(path)
      sizes.add(piece?.rows)
      seen.push(...rowsOf(piece?.block ?? blockOf([])))
      halves.drop(path)
      path = pathAfter(path)
    }
  }
  expect([seen, sizes]).toEqual([rows, new Set([1])])
})

test('a path leads to its piece from nothing', () => {
  const rows = ['a', 'b', 'c', 'd', 'e']
  const halves = new Halves({ block: blockOf(rows), rows: rows.length }, splitBlock)
  expect(rowsOf(halves.at('01')?.block ?? blockOf([]))).toEqual(['c'])
  expect(rowsOf(halves.at('1')?.block ?? blockOf([]))).toEqual(['d', 'e'])
  expect(halves.at('0000')).toBeUndefined()
})
