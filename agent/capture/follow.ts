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
    // Most of what a request and its answer tell has no listener, and needs no context then.
    const isHeard =
      this.listenerCount(event[0]) > 0 ? context.with(active, emit, this, ...event) : emit.apply(this, event)
    if (event[0] === 'close' && closed !== undefined) guarded('the end of a request', closed)
    return isHeard
  }
}
