import { expect, test } from 'vitest'
import { componentResidual, principalComponents } from './principal-components.ts'

test('a matrix of 2 and 1 has the values 3 and 1, along the diagonals', () => {
  const [first, second] = principalComponents([Float64Array.of(2, 1), Float64Array.of(1, 2)])
  expect(first?.variance).toBeCloseTo(3, 12)
  expect(second?.variance).toBeCloseTo(1, 12)
  const [x = 0, y = 0] = first?.direction ?? []
  expect(x * y).toBeCloseTo(0.5, 12)
})

test('each direction is turned into itself, as often as its value says', () => {
  const matrix = [Float64Array.of(4, 1, 0.5), Float64Array.of(1, 3, -1), Float64Array.of(0.5, -1, 2)]
  for (const { variance, direction } of principalComponents(matrix)) {
    for (const [i, row] of matrix.entries()) {
      const image = row.reduce((sum, entry, j) => sum + entry * (direction[j] ?? 0), 0)
      expect(image).toBeCloseTo(variance * (direction[i] ?? 0), 9)
    }
  }
})

test('a point on the line of the training leaves nothing, one beside it does', () => {
  const training = Array.from({ length: 50 }, (_, i) => Float64Array.of(i, 2 * i + 1))
  const residual = componentResidual(training, 0.9)
  expect(residual(Float64Array.of(100, 201))).toBeCloseTo(0, 6)
  expect(residual(Float64Array.of(10, 40))).toBeGreaterThan(0.1)
})
