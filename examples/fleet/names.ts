// Stands for the name service of a private network: the fleet's names lead to 127.0.0.1, so that telemetry shows
// `math` and `fonts.internal` as it would anywhere else, and nobody has to edit /etc/hosts.

import dns, { type LookupOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { plan, serviceNames } from './plan.ts'

const names = new Set<string>(serviceNames.flatMap((name) => [name, plan[name].outside]))

/** Resolves the fleet's own names, for `node:http`. */
export const lookupInFleet: LookupFunction = (hostname, options, callback) => {
  if (!names.has(hostname)) return dns.lookup(hostname, options, callback)
  return answer(options, callback)
}

/** Lets `fetch`, which takes no lookup function, resolve the fleet's own names too. */
export function resolveFleetNames(): void {
  const lookup = dns.lookup as (hostname: string, ...rest: unknown[]) => void
  Object.assign(dns, {
    lookup(hostname: string, ...rest: unknown[]): void {
      const callback = rest.at(-1) as Callback
      const options = rest.length > 1 ? (rest[0] as LookupOptions) : {}
      if (names.has(hostname)) answer(options, callback)
      else lookup(hostname, ...rest)
    },
  })
}

type Callback = Parameters<LookupFunction>[2]

function answer(options: LookupOptions, callback: Callback): void {
  process.nextTick(() => {
    if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }])
    else callback(null, '127.0.0.1', 4)
  })
}
