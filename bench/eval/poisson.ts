/**
 * Interval of the expected number where `count` events were seen, with a confidence of 95 % (Garwood 1936): the least and the
 * largest mean that do not make the count a surprise. Of none it is from 0 to 3.69.
 */
export function poissonInterval(count: number): { low: number; high: number } {
  return {
    low: count === 0 ? 0 : meanWhere((mean) => 1 - atMost(count - 1, mean) > 0.025, count),
    high: meanWhere((mean) => atMost(count, mean) < 0.025, 2 * count + 10),
  }
}

/** The chance of so many events or fewer. */
function atMost(count: number, mean: number): number {
  let term = Math.exp(-mean)
  let sum = term
  for (let events = 1; events <= count; events += 1) {
    term *= mean / events
    sum += term
  }
  return sum
}

/** The least mean of which it is true, by halving. */
function meanWhere(isTrue: (mean: number) => boolean, highest: number): number {
  let [low, high] = [0, highest]
  for (let halving = 0; halving < 60; halving += 1) {
    const middle = (low + high) / 2
    if (isTrue(middle)) high = middle
    else low = middle
  }
  return high
}
