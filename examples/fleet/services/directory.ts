import type { Directory, ToService } from '../control.ts'
import type { ServiceName } from '../plan.ts'

const { promise: known, resolve: settle } = Promise.withResolvers<void>()
let directory: Directory | undefined
const turns = new Map<string, number>()

process.on('message', (message: ToService) => {
  if (!('directory' in message)) return
  directory = message.directory
  settle()
})

/** Where everybody listens, as soon as the supervisor has said it. */
export async function currentDirectory(): Promise<Directory> {
  await known
  if (directory === undefined) throw new Error('Cannot look into the directory: the supervisor has not sent it')
  return directory
}

/** The instances of `service` take turns: which is next, of how many. */
export async function nextInstance(service: ServiceName): Promise<{ instance: number; port: number }> {
  const ports = (await currentDirectory()).services[service]
  const turn = turns.get(service) ?? 0
  turns.set(service, turn + 1)
  const instance = turn % ports.length
  const port = ports[instance]
  if (port === undefined) throw new Error(`Cannot call ${service}: it has no instance`)
  return { instance, port }
}
