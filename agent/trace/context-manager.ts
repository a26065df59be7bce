import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import type { Context, ContextManagementToken, ContextManager } from '@opentelemetry/api'
import { emptyContext } from './linked-context.ts'

/** In one function for all, where one for each call would be made and thrown away. */
function applied<A extends unknown[]>(call: (...args: A) => unknown, self: unknown, args: A): unknown {
  return call.apply(self, args)
}

/** Contexts that follow asynchronous calls. */
export class AsyncContextManager implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>()
  readonly #outermost: Context
  /** A connection that is bound for each of its requests is not bound within itself. */
  readonly #bound = new WeakMap<EventEmitter, { context: Context }>()

  /** `outermost` is the context of whatever runs in no other. */
  constructor(outermost: Context = emptyContext) {
    this.#outermost = outermost
  }

  active(): Context {
    return this.#storage.getStore() ?? this.#outermost
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    call: F,
    self?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(context, applied, call, self, args) as ReturnType<F>
  }

  /** Of an event emitter, all listeners run in `context`, or in that of the last binding. */
  bind<T>(context: Context, target: T): T {
    if (target instanceof EventEmitter) return this.#bindEmitter(context, target)
    if (typeof target !== 'function') return target
    const storage = this.#storage
    const bound = function (this: unknown, ...args: unknown[]): unknown {
      return storage.run(context, () => Reflect.apply(target, this, args))
    }
    Object.defineProperty(bound, 'length', { configurable: true, value: target.length })
    return bound as T
  }

  /** What is attached lasts until the current turn of the event loop ends, or the token is disposed of. */
  attach(context: Context): ContextManagementToken {
    const previous = this.#storage.getStore()
    this.#storage.enterWith(context)
    return { dispose: () => this.#storage.enterWith(previous as Context) }
  }

  enable(): this {
    return this
  }

  disable(): this {
    this.#storage.disable()
    return this
  }

  #bindEmitter<T extends EventEmitter>(context: Context, emitter: T): T {
    const known = this.#bound.get(emitter)
    if (known !== undefined) {
      known.context = context
      return emitter
    }
    const [storage, bound] = [this.#storage, { context }]
    this.#bound.set(emitter, bound)
    const emit = emitter.emit.bind(emitter)
    emitter.emit = (...event: Parameters<typeof emit>) => storage.run(bound.context, emit, ...event)
    return emitter
  }
}
