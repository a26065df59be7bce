import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type SqlDialect, withoutLiterals } from './sql-text.ts'

test.each<[SqlDialect, string, string]>([
  [
    'postgresql',
    `SELECT * FROM users WHERE email = 'a@b.c' AND age > 30`,
    'SELECT * FROM users WHERE email = ? AND age > ?',
  ],
  ['postgresql', 'SELECT $1::int, "userId" FROM t2 LIMIT 10', 'SELECT $1::int, "userId" FROM t2 LIMIT ?'],
  ['postgresql', `VALUES ('it''s', E'x', .5, 1e-5, 0xff, -3)`, 'VALUES (?, E?, .?, ?, ?, -?)'],
  ['postgresql', 'DO $body$ BEGIN x := $$a$$; END $body$', 'DO ?'],
  ['postgresql', `SELECT 1 -- for o'neill\n  , 2 /* it's */ FROM t`, 'SELECT ? , ? FROM t'],
  ['postgresql', `SELECT 'C:\\', 'secret'`, 'SELECT ? …'],
  ['postgresql', `SELECT /* a /* b */ 'secret */ 1`, 'SELECT ? …'],
  ['postgresql', `SELECT 'not closed`, 'SELECT ?'],
  ['postgresql', `SELECT "not closed`, 'SELECT ? …'],
  ['mysql', 'SELECT `a b` FROM t WHERE x = "it\'s" AND y = 5--3 # why', 'SELECT `a b` FROM t WHERE x = ? AND y = ?--?'],
  ['mysql', `SELECT 'it\\'s', secret`, 'SELECT ? …'],
  ['mysql', `SELECT _utf8'x', X'4D', N'y'`, 'SELECT _utf8?, X?, N?'],
])('%s: %s is told as %s', (dialect, sql, told) => {
  expect(withoutLiterals(sql, dialect)).toBe(told)
})

const quotes: Record<SqlDialect, (text: string) => string> = {
  postgresql: (text) => `'${text.replaceAll("'", "''")}'`,
  mysql: (text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`,
}

test.each<SqlDialect>(['postgresql', 'mysql'])(
  'no text between quotes is told, whatever stands in it: %s',
  (dialect) => {
    const around = fc.string({
      unit: fc.constantFrom("'", '"', '`', '\\', '$', '-', '/', '*', '#', ' ', '\n', 'a', '1', 'é'),
    })
    fc.assert(
      fc.property(fc.array(fc.tuple(around, around), { minLength: 1, maxLength: 5 }), (texts) => {
        const values = texts.map(([before, after]) => quotes[dialect](`${before}hidden${after}`))
        expect(withoutLiterals(`SELECT * FROM t WHERE a IN (${values.join(', ')}) AND b = 7`, dialect)).not.toContain(
          'hidden',
        )
      }),
      { numRuns: 2_000 },
    )
  },
)

test('a long statement is cut', () => {
  const told = withoutLiterals(`INSERT INTO t VALUES ${"('hidden'), ".repeat(100_000)}`, 'postgresql')
  expect(told.length).toBeLessThan(2_100)
  expect(told).toMatch(/^INSERT INTO t VALUES \(\?\), .* …$/)
})
