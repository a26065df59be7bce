import { expect, test } from 'vitest'
import { isStreamable, readStatement } from './statement.ts'

/** Splits at the seam of statement and rows. */
function split(sql: string) {
  const { rows } = readStatement(sql)
  if (rows === undefined) return undefined
  return [sql.slice(0, rows.clausesAt), sql.slice(rows.clausesAt, rows.formatAt), rows.format, sql.slice(rows.startAt)]
}

const isFollowed = (sql: string) => readStatement(sql).isFollowed
const format = (sql: string) => readStatement(sql).format

test('rows begin after the format and one line break', () => {
  expect(split('INSERT INTO t FORMAT CSV\n1,2\n')).toEqual(['INSERT INTO t ', '', 'CSV', '1,2\n'])
  expect(split('insert into t format CSV;\r\n\n1')).toEqual(['insert into t ', '', 'CSV', '\n1'])
  expect(split('INSERT INTO db.t (a, `b)`) FORMAT JSONEachRow {"a":1}')).toEqual([
    'INSERT INTO db.t (a, `b)`) ',
    '',
    'JSONEachRow',
    '{"a":1}',
  ])
  expect(split("/* ; */ INSERT INTO t -- values\n VALUES (1, ';'); x")).toEqual([
    '/* ; */ INSERT INTO t -- values\n ',
    '',
    'Values',
    " (1, ';'); x",
  ])
})

test('settings of an insert stay between the source and the format', () => {
  expect(split('INSERT INTO t SETTINGS async_insert = 0 FORMAT Native\nx')).toEqual([
    'INSERT INTO t ',
    'SETTINGS async_insert = 0 ',
    'Native',
    'x',
  ])
})

test.each([
  'INSERT INTO FUNCTION file($$a$$) VALUES (1)',
  'INSERT INTO TABLE "values" VALUES (1)',
  'INSERT INTO format FORMAT CSV\n1',
  'INSERT INTO db.values VALUES (1)',
  'INSERT INTO {table:Identifier} FORMAT CSV\n1',
  'INSERT INTO t (a, b) VALUES (1, 2)',
])('%s has rows', (sql) => expect(readStatement(sql).rows).toBeDefined())

test.each([
  'INSERT INTO t SELECT 1 FORMAT CSV',
  'INSERT INTO t (SELECT 1)',
  'INSERT INTO t WITH 1 AS x SELECT x',
  'INSERT INTO t (a) SELECT * FROM values(1, 2)',
  'SELECT * FROM t FORMAT CSV',
  "SELECT 'INSERT INTO t VALUES'",
  '',
])('%s has no rows', (sql) => expect(readStatement(sql).rows).toBeUndefined())

test('a second statement is seen wherever it hides', () => {
  expect(isFollowed('SELECT 1; SELECT 2')).toBe(true)
  expect(isFollowed("SELECT '\\'; ' ; DROP TABLE t")).toBe(true)
  expect(isFollowed('SELECT 1 -- \n; SELECT 2')).toBe(true)
  expect(isFollowed('SELECT 1;; -- ; SELECT 2\n /* ; x */ ;')).toBe(false)
  expect(isFollowed("SELECT ';', \"; x\", `; y`, $a$; z$a$, '''; w'")).toBe(false)
})

test('the format is the one at the end', () => {
  expect(format('SELECT 1 FORMAT JSON')).toBe('JSON')
  expect(format('SELECT 1 format JSON SETTINGS max_threads = 1;')).toBe('JSON')
  expect(format('SELECT 1 SETTINGS max_threads = 1 FORMAT CSV')).toBe('CSV')
  expect(format('SELECT format x FROM t')).toBeUndefined()
  expect(format("SELECT format('{}', 1)")).toBeUndefined()
  expect(format('SELECT * FROM (SELECT 1 FORMAT JSON)')).toBeUndefined()
})

test('files are for local clients', () => {
  expect(readStatement("SELECT 1 INTO OUTFILE 'x' FORMAT CSV").file).toBe('OUTFILE')
  expect(readStatement("INSERT INTO t FROM INFILE 'x' FORMAT CSV").file).toBe('INFILE')
  expect(readStatement('SELECT * FROM infile').file).toBeUndefined()
})

test('only a plain SELECT in a format without header or footer leaves block by block', () => {
  expect(isStreamable(readStatement('SELECT * FROM t'), 'JSONEachRow')).toBe(true)
  expect(isStreamable(readStatement('SELECT 1 UNION ALL SELECT 2'), 'RowBinary')).toBe(true)
  expect(isStreamable(readStatement('SELECT * FROM t'), 'JSON')).toBe(false)
  expect(isStreamable(readStatement('SELECT (SELECT 1)'), 'JSONEachRow')).toBe(false)
  expect(isStreamable(readStatement('INSERT INTO t SELECT 1'), 'JSONEachRow')).toBe(false)
})
