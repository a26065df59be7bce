import { expect, test } from 'vitest'
import { readDemoOptions } from './demo-options.ts'

test('without options math fails, and the demo stays', () => {
  expect(readDemoOptions([])).toEqual({
    faults: [{ kind: 'errors', service: 'math' }],
    isSeries: false,
    seed: 1,
    once: false,
    json: false,
  })
})

test('a fault may name its operation', () => {
  const options = readDemoOptions(['--once', '--json', '--seed', '7', '--fault', 'latency:crypto:POST /hash'])
  expect(options).toMatchObject({ seed: 7, faults: [{ kind: 'latency', service: 'crypto', operation: 'POST /hash' }] })
})

test('all faults are every kind in every service', () => {
  expect(readDemoOptions(['--faults', 'all'])).toMatchObject({ isSeries: true, faults: { length: 30 } })
})

test('some faults are named in a list', () => {
  expect(readDemoOptions(['--faults', 'errors:math,crash:pdf'])).toMatchObject({
    faults: [
      { kind: 'errors', service: 'math' },
      { kind: 'crash', service: 'pdf' },
    ],
  })
})

test.each([
  [['--fault', 'fire:math'], '"fire" is no kind of fault; use errors, latency, crash, slow-dependency, bad-version'],
  [['--fault', 'errors:maths'], '"maths" is no service; use gateway, crypto'],
  [['--fault', 'errors:math:POST /x'], '"POST /x" is no operation of math; use POST /evaluate'],
  [['--faults', 'some'], '--faults: "some" is no kind of fault; use errors'],
  [['--seed', 'x'], '--seed: "x" is no whole number'],
])('%j is refused with the mend', (args, message) => {
  expect(() => readDemoOptions(args)).toThrow(message)
})
