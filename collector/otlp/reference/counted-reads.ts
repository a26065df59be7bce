/** Bytes, and how often one of them was read. */
export interface CountedBytes {
  bytes: Uint8Array
  reads: () => number
}

/** Counts each look at a single byte, so that work is measured without a clock. Copies as a whole are not counted. */
export function countReads(body: Uint8Array): CountedBytes {
  let reads = 0
  const bytes = new Proxy(Uint8Array.from(body), {
    get(target, name): unknown {
      if (typeof name === 'string' && /^\d/.test(name)) reads += 1
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { bytes, reads: () => reads }
}
