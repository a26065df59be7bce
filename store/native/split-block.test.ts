import { expect, test } from 'vitest'
import { ByteColumn } from './byte-column.ts'
import { Block } from './block.ts'
import { arrayOf, lowCardinality, map, number, text } from './column-kinds.ts'
import { LowCardinalityColumn } from './low-cardinality-column.ts'
import { MapColumn } from './map-column.ts'
import { NumberColumn } from './number-column.ts'
import { OffsetsColumn } from './offsets-column.ts'
import { splitBlock } from './split-block.ts'
import { TextTable } from './text-table.ts'

/** A block of these rows, each with a column of every kind. */
function blockOf(rows: readonly number[]): Buffer {
  const table = new TextTable()
  const [texts, numbers, names] = [new ByteColumn(), new NumberColumn(), new LowCardinalityColumn(table)]
  const [attributes, lists, items] = [new MapColumn(table), new OffsetsColumn(), new LowCardinalityColumn(table)]
  const parts = [texts, numbers, names, ...attributes.parts, lists, items]
  const columns = [
    text('text', texts),
    number('number', 'UInt32', numbers),
    lowCardinality('name', names),
    map('attributes', attributes),
    arrayOf(lists, lowCardinality('list', items)),
  ]
  const block = new Block(columns, parts)
  // All rows share the dictionary, whichever of them are in the block.
  for (const name of ['a', 'b', 'c', 'n0', 'n1', 'n2']) table.numberOfText(name)
  for (const row of rows) {
    texts.text('#'.repeat(row * 50))
    numbers.add(row)
    names.add(table.numberOfText(`n${row % 3}`))
    for (let entry = 0; entry < row % 4; entry += 1) {
      attributes.keys.add(table.numberOfText('abc'.charAt(entry)))
      attributes.values.text(String(row))
    }
    attributes.endRow()
    if (row % 2 === 0) items.add(table.numberOfText('a'))
    lists.add(items.length)
    block.rows += 1
  }
  return block.seal()
}

/** Halves until single rows are left. */
function rowsOf(block: Buffer): Buffer[] {
  const halves = splitBlock(block)
  return halves === undefined ? [block] : halves.flatMap((half) => rowsOf(half))
}

test('halves have the rows in their order, the first one more if they are odd', () => {
  const [first, second] = splitBlock(blockOf([0, 1, 2, 3, 4])) ?? []
  expect([first?.[1], second?.[1]]).toEqual([3, 2])
})

test('a single row has no halves, and no rows neither', () => {
  expect(splitBlock(blockOf([7]))).toBeUndefined()
  expect(splitBlock(blockOf([]))).toBeUndefined()
})

test('halving ends in blocks of one row each that say the same', () => {
  const rows = rowsOf(blockOf([1, 2, 3, 4, 5, 6, 7]))
  expect(rows).toHaveLength(7)
  for (const [index, block] of rows.entries()) {
    const length = (index + 1) * 50
    expect(block.includes('#'.repeat(length))).toBe(true)
    expect(block.includes('#'.repeat(length + 1))).toBe(false)
  }
})

test('bytes that are no block are refused, wherever they end', () => {
  const block = blockOf([1, 2, 3])
  for (let length = 2; length < block.length; length += 1) {
    expect(() => splitBlock(block.subarray(0, length))).toThrow(RangeError)
  }
})
