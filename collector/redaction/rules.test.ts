import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { defaultRules, parseRules, readRules } from './rules.ts'

test('without a file the defaults hold', () => {
  expect(readRules(undefined)).toBe(defaultRules)
})

test('a file of rules is read in its order', () => {
  const directory = mkdtempSync(join(tmpdir(), 'redaction-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'rules.json')
  const rules = [
    { attribute: 'user.email', action: 'hash' },
    { pattern: '\\bPO-\\d{6}\\b', action: 'mask' },
    { attribute: '*.ssn', action: 'drop' },
  ]
  writeFileSync(path, JSON.stringify({ defaults: false, rules }))
  const read = readRules(path)
  expect(read).toMatchObject({ defaults: false, attributes: [rules[0], rules[2]], patterns: [{ action: 'mask' }] })
  expect(read.patterns[0]?.pattern.source).toBe('\\bPO-\\d{6}\\b')
})

test('an empty object means the defaults', () => {
  expect(parseRules('{}', 'rules.json')).toEqual(defaultRules)
})

test('a file that is not there is refused by name', () => {
  const mend = 'give HEADWATER_REDACT the path of a JSON file that can be read'
  expect(() => readRules('/nowhere/rules.json')).toThrow(
    `Cannot read the redaction rules "/nowhere/rules.json": ${mend}`,
  )
})

const oneRule = (rule: object) => JSON.stringify({ rules: [rule] })

test.each([
  ['rules: []', /Unexpected token .*; write JSON/],
  ['[]', 'the file is []: give an object with "defaults" and "rules"'],
  ['{"defaults": 1}', 'defaults is 1: give true or false'],
  ['{"rule": []}', 'the file is {"rule":[]}: leave out rule'],
  ['{"rules": {}}', 'rules is {}: give a list of rules'],
  [oneRule({ attribute: 'a', action: 'encrypt' }), 'rules[0].action is "encrypt": give keep, drop, hash or mask'],
  [oneRule({ attribute: 'a' }), 'rules[0].action is not there: give keep, drop, hash or mask'],
  [oneRule({ attribute: '', action: 'mask' }), 'rules[0].attribute is "": give a name of 1 to 200 characters'],
  [oneRule({ attribute: 7, action: 'mask' }), 'rules[0].attribute is 7: give a name of 1 to 200 characters'],
  [oneRule({ action: 'mask' }), 'rules[0] is {"action":"mask"}: give either attribute or pattern'],
  [oneRule({ attribute: 'a', pattern: 'b', action: 'mask' }), 'give either attribute or pattern'],
  [oneRule({ pattern: 'a', action: 'keep' }), 'a pattern cannot keep: give drop, hash or mask, or keep by attribute'],
  [oneRule({ pattern: '(a', action: 'mask' }), 'rules[0].pattern is "(a": Invalid regular expression'],
  [oneRule({ pattern: 'a*', action: 'mask' }), 'rules[0].pattern is "a*": it matches the empty text; use + for *'],
  [oneRule({ pattern: '\\b', action: 'mask' }), 'it matches the empty text'],
  [oneRule({ pattern: 'b|$', action: 'mask' }), 'it matches the empty text'],
  [oneRule({ pattern: '(?=a)a', action: 'mask' }), 'it cannot run in linear time; leave out lookaround'],
  [oneRule({ pattern: '(a)\\1', action: 'mask' }), 'it cannot run in linear time; leave out lookaround'],
  [oneRule({ pattern: 'a{500}', action: 'mask' }), 'it cannot run in linear time'],
  [oneRule({ pattern: 'a'.repeat(501), action: 'mask' }), 'give a regular expression of 1 to 500 characters'],
  [
    JSON.stringify({ rules: Array.from({ length: 101 }, () => ({ attribute: 'a', action: 'mask' })) }),
    'give at most 100 rules',
  ],
])('%s is refused', (text, fault) => {
  expect(() => parseRules(text, 'rules.json')).toThrow('Cannot use the redaction rules "rules.json": ')
  expect(() => parseRules(text, 'rules.json')).toThrow(fault)
})
