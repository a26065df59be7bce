import { createServer } from 'node:net'

/**
 * The system takes ports for outgoing connections from above this range. A service that crashed comes back at the same
 * address, so its port must not be taken meanwhile.
 */
const portMin = 18_000
const portMax = 28_000

/** `count` different ports of 127.0.0.1 that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  const start = portMin + ((process.pid * 97) % (portMax - portMin))
  for (let step = 0; ports.length < count && step < portMax - portMin; step += 1) {
    const port = portMin + ((start - portMin + step) % (portMax - portMin))
    if (await isFree(port)) ports.push(port)
  }
  if (ports.length < count) throw new Error(`Cannot find ${count} free ports between ${portMin} and ${portMax}`)
  return ports
}

/** Whether nobody listens on `port` of 127.0.0.1. */
export function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const server = createServer()
  server.once('error', () => resolve(false))
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  return promise
}
