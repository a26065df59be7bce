import { subscribe } from 'node:diagnostics_channel'
import { diag } from '@opentelemetry/api'
import { counters } from '../counters.ts'

/** Hears what is published on a channel. What goes wrong is counted, and never reaches the service. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the name of a channel says what comes over it.
export function hear<Message>(channel: string, take: (message: Message) => void): void {
  subscribe(channel, (message) => {
    try {
      take(message as Message)
    } catch (error) {
      note(channel, error)
    }
  })
}

/** Does the agent's work inside of the service's: an error stays here. */
export function guarded(what: string, work: () => void): void {
  try {
    work()
  } catch (error) {
    note(what, error)
  }
}

function note(what: string, error: unknown): void {
  counters.capturesFailed += 1
  diag.error(`headwater: ${what} could not be captured`, error)
}
