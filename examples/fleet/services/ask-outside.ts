import { Agent, get } from 'node:http'
import { lookupInFleet } from '../names.ts'
import { outsidePathOf } from '../plan.ts'
import { callTimeoutMs } from './call.ts'
import { currentDirectory } from './directory.ts'
import { identity } from './identity.ts'
import { CalleeFailed } from './problems.ts'

const connections = new Agent({ keepAlive: true, maxSockets: 32 })

/** What this service's peer outside has to say for `operation`. */
export async function askOutside(operation: string): Promise<unknown> {
  const peer = identity.outside
  const path = outsidePathOf(identity.name, operation)
  const port = (await currentDirectory()).outside[peer]
  try {
    return JSON.parse(await textFrom({ host: peer, port, path }))
  } catch (cause) {
    throw new CalleeFailed(`Cannot get ${path} from ${peer}`, { cause })
  }
}

function textFrom(address: { host: string; port: number | undefined; path: string }): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const signal = AbortSignal.timeout(callTimeoutMs)
  const request = get({ ...address, agent: connections, lookup: lookupInFleet, signal }, (response) => {
    let text = ''
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => (text += chunk))
    response.on('error', reject)
    response.on('end', () => {
      if (response.statusCode === 200) resolve(text)
      else reject(new Error(`it answered ${response.statusCode}: ${text.slice(0, 200)}`))
    })
  })
  request.on('error', reject)
  return promise
}
