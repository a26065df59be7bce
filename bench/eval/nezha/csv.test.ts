import { expect, test } from 'vitest'
import { parseCsv } from './csv.ts'

test('rows of cells, quoted where they need it', () => {
  expect(parseCsv('a,b\n1,"say ""no"", then\ngo"\r\n,2\n')).toEqual([
    ['a', 'b'],
    ['1', 'say "no", then\ngo'],
    ['', '2'],
  ])
  expect(parseCsv('')).toEqual([])
  expect(parseCsv('a,b')).toEqual([['a', 'b']])
  expect(parseCsv('"a"late "x",b\n"c')).toEqual([['a', 'b'], ['"c']])
})
