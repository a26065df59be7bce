import type { EventEmitter } from 'node:events'
import { type Context, context } from '@opentelemetry/api'
import { guarded } from './channel.ts'

type Emit = (this: EventEmitter, ...event: Parameters<EventEmitter['emit']>) => boolean

/**
 * Runs all listeners of `emitter` in `active`: what Node itself carries on ends with the headers of a request, so that a body that
 * comes later would come without it. `closed` runs after the listeners of 'close'.
 */
export function follow(emitter: EventEmitter, active: Context, closed?: () => void): void {
  const { emit } = emitter as { emit: Emit }
  emitter.emit = function followed(...event) {
    const isHeard = context.with(active, emit, this, ...event)
    if (event[0] === 'close' && closed !== undefined) guarded('the end of a request', closed)
    return isHeard
  }
}
