import { EventEmitter } from 'node:events'
import { type Context, context } from '@opentelemetry/api'
import { guarded } from './channel.ts'
import { mark } from '../flow/mark.ts'

type Emit = (this: EventEmitter, ...event: Parameters<EventEmitter['emit']>) => boolean

interface Followed {
  active: Context
  emit: Emit
  closed: (() => void) | undefined
}

const followedOf = mark<Followed>()

/**
 * Runs all listeners of `emitter` in `active`: what Node itself carries on ends with the headers of a request, so that a body that
 * comes later would come without it. `closed` runs after the listeners of 'close'.
 */
export function follow(emitter: EventEmitter, active: Context, closed?: () => void): void {
  const { emit } = emitter as { emit: Emit }
  followedOf.set(emitter, { active, emit, closed })
  emitter.emit = emitFollowed
}

/** One function for all: V8 knows then what is called. */
function emitFollowed(this: EventEmitter, ...event: Parameters<EventEmitter['emit']>): boolean {
  const followed = followedOf.find(this)
  if (followed === undefined) return EventEmitter.prototype.emit.apply(this, event)
  const { active, emit, closed } = followed
  // Most of what a request and its answer tell has no listener, and needs no context then.
  const isHeard =
    this.listenerCount(event[0]) > 0 ? context.with(active, emit, this, ...event) : emit.apply(this, event)
  if (closed !== undefined && event[0] === 'close') guarded('the end of a request', closed)
  return isHeard
}
