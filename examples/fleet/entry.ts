import { connect, createServer, type Server, type Socket } from 'node:net'

/** A load balancer for connections: each goes to the next of the ports that `portsNow` names. */
export async function startEntry(port: number, portsNow: () => number[]): Promise<Server> {
  let turn = 0
  const server = createServer((inbound) => {
    const ports = portsNow()
    const target = ports[turn++ % Math.max(1, ports.length)]
    if (target === undefined) inbound.destroy()
    else join(inbound, connect(target, '127.0.0.1'))
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject).listen(port, '127.0.0.1', resolve)
  await promise
  return server
}

/** What one end sends the other gets; when one end is gone, so is the other. */
function join(inbound: Socket, outbound: Socket): void {
  for (const [from, to] of [
    [inbound, outbound],
    [outbound, inbound],
  ] as const) {
    from.pipe(to)
    from.on('error', () => to.destroy())
    from.on('close', () => to.destroy())
  }
}
