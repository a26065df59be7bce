import { createServer, type RequestListener } from 'node:http'
import { currentDirectory } from './directory.ts'
import { identity } from './identity.ts'

/** Serves at the address that the supervisor gave, and tells it when callers may come. */
export async function serve(listener: RequestListener): Promise<void> {
  await currentDirectory()
  const server = createServer(listener)
  // Callers keep connections; one that closes just as a call comes would look like a failure of ours.
  server.keepAliveTimeout = 60_000
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject).listen(identity.port, '127.0.0.1', resolve)
  await promise
  process.send?.({ ready: true })
}

// Without a supervisor there is nobody to end the service.
process.on('disconnect', () => process.exit())
