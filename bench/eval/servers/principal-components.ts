/**
 * The share of the variance that is kept is spanned by the first principal components; what is left of a point is its squared
 * distance from them (Jackson & Mudholkar 1979). Columns are scaled to a mean of 0 and a deviation of 1 by the training.
 */
export function componentResidual(training: readonly Float64Array[], share: number): (row: Float64Array) => number {
  const size = training[0]?.length ?? 0
  const columns = Array.from({ length: size }, (_, j) => scaleOf(training, j))
  const scaled = (row: Float64Array) =>
    row.map((value, j) => (value - (columns[j]?.mean ?? 0)) / (columns[j]?.deviation ?? 1))
  const covariance = Array.from({ length: size }, () => new Float64Array(size))
  for (const row of training) {
    const z = scaled(row)
    for (const [i, line] of covariance.entries()) {
      for (let j = 0; j < size; j += 1) line[j] = (line[j] ?? 0) + ((z[i] ?? 0) * (z[j] ?? 0)) / training.length
    }
  }
  const components = principalComponents(covariance)
  const total = components.reduce((sum, { variance }) => sum + variance, 0)
  let covered = 0
  const kept = components.filter(({ variance }) => {
    const isNeeded = covered < share * total
    covered += variance
    return isNeeded
  })
  return (row) => {
    const z = scaled(row)
    return kept.reduce((left, { direction }) => left - dot(direction, z) ** 2, dot(z, z))
  }
}

/** Eigenvectors of a symmetric matrix, those of the greatest values first, by Jacobi's rotations (Golub & Van Loan, §8.5). */
export function principalComponents(matrix: readonly Float64Array[]): { variance: number; direction: Float64Array }[] {
  const size = matrix.length
  const a = matrix.map((line) => line.slice())
  const directions = Array.from({ length: size }, (_, i) =>
    Float64Array.from({ length: size }, (__, j) => Number(i === j)),
  )
  for (let sweep = 0; sweep < sweepsMax && offDiagonal(a) > 1e-18; sweep += 1) {
    for (let p = 0; p < size; p += 1) for (let q = p + 1; q < size; q += 1) rotate(a, directions, p, q)
  }
  return directions
    .map((direction, i) => ({ variance: Math.max(0, a[i]?.[i] ?? 0), direction }))
    .toSorted((x, y) => y.variance - x.variance)
}

/** Makes the entry of p and q zero. Directions are kept as rows. */
function rotate(a: readonly Float64Array[], directions: readonly Float64Array[], p: number, q: number): void {
  const [rowP, rowQ, dirP, dirQ] = [a[p], a[q], directions[p], directions[q]]
  if (rowP === undefined || rowQ === undefined || dirP === undefined || dirQ === undefined) return
  const entry = rowP[q] ?? 0
  if (Math.abs(entry) < 1e-15) return
  const theta = ((rowQ[q] ?? 0) - (rowP[p] ?? 0)) / (2 * entry)
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1))
  const cosine = 1 / Math.hypot(tangent, 1)
  const sine = tangent * cosine
  for (const row of a) turn(row, p, row, q, cosine, sine)
  for (let k = 0; k < a.length; k += 1) turn(rowP, k, rowQ, k, cosine, sine)
  for (let k = 0; k < a.length; k += 1) turn(dirP, k, dirQ, k, cosine, sine)
}

function turn(x: Float64Array, i: number, y: Float64Array, j: number, cosine: number, sine: number): void {
  const [one = 0, other = 0] = [x[i], y[j]]
  x[i] = cosine * one - sine * other
  y[j] = sine * one + cosine * other
}

function offDiagonal(a: readonly Float64Array[]): number {
  let sum = 0
  for (const [i, row] of a.entries()) for (const [j, entry] of row.entries()) if (i !== j) sum += entry ** 2
  return sum
}

function scaleOf(rows: readonly Float64Array[], column: number): { mean: number; deviation: number } {
  const mean = rows.reduce((sum, row) => sum + (row[column] ?? 0), 0) / rows.length
  const variance = rows.reduce((sum, row) => sum + ((row[column] ?? 0) - mean) ** 2, 0) / rows.length
  // Of a constant column rounding leaves a little.
  return { mean, deviation: variance > 1e-20 * mean ** 2 ? Math.sqrt(variance) : 1 }
}

function dot(x: Float64Array, y: Float64Array): number {
  return x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0)
}

const sweepsMax = 60
