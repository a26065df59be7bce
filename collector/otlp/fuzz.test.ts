import { expect, test } from 'vitest'
import { fuzz } from './fuzz.ts'

const mutantsMax = 1_000

test.each([1, 2])('changed recordings are refused or make the rows that they say, by seed %i', (seed) => {
  const counts = fuzz({ seed, goesOn: (mutants) => mutants < mutantsMax })
  expect(counts.mutants).toBe(mutantsMax)
  // The fuzzer would find nothing if it changed nothing, or everything.
  expect(counts.refused).toBeGreaterThan(mutantsMax / 10)
  expect(counts.rows).toBeGreaterThan(mutantsMax / 2)
  expect(counts.rejected).toBeGreaterThan(0)
})
