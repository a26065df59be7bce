// What operators do with alerts by hand: try them, see what was sent, and send again what was given up.
import { rehearse, type Rehearsal, readAlertSettings, type AlertSettings } from '@headwater/responder'
import {
  type AlertLogEntry,
  connectStore,
  enableAlertDestination,
  readAlertAttempts,
  readAlertLog,
  readStoreSettings,
  redeliverAlerts,
  type Redelivery,
  type Store,
} from '@headwater/store'
import { type Command, InvalidArgumentError } from 'commander'
import { table } from './table.ts'
import { engineUrls } from './urls.ts'

/** Adds `test`, `log`, `dead`, `redeliver` and `enable` to the command `alert`. */
export function addAlertCommands(alert: Command): void {
  alert
    .command('test')
    .description('send an example incident, opened and resolved, to the destinations of a route, or of all routes')
    .option('--route <name>', 'a route of the file that HEADWATER_ALERTS names')
    .option('--json', 'print what the destinations said as JSON')
    .action(async ({ route, json = false }: { route?: string; json?: boolean }) => {
      const results = await rehearse(alertSettings(), route === undefined ? {} : { route })
      process.stdout.write(json ? `${JSON.stringify({ results })}\n` : rehearsalReport(results))
      if (results.some(({ isTaken }) => !isTaken)) process.exitCode = 1
    })
  alert
    .command('log')
    .argument('[id]', 'a message, as `headwater alert log` shows it: its attempts')
    .description('messages, newest first, and what became of them')
    .option('--destination <name>', 'of this destination only')
    .option('--limit <n>', 'at most so many', readLimit, 50)
    .option('--json', 'print the messages as JSON')
    .action(async (id: string | undefined, options: LogOptions) => {
      process.stdout.write(
        await withStore((store) => (id === undefined ? log(store, options) : attempts(store, id, options))),
      )
    })
  alert
    .command('dead')
    .description('dead letters: messages that were given up, newest first')
    .option('--destination <name>', 'of this destination only')
    .option('--limit <n>', 'at most so many', readLimit, 50)
    .option('--json', 'print the messages as JSON')
    .action(async (options: LogOptions) => {
      process.stdout.write(await withStore((store) => log(store, { ...options, state: 'dead' })))
    })
  alert
    .command('redeliver')
    .argument('[id...]', 'dead letters, as `headwater alert dead` shows them')
    .description('put dead letters into the outbox again; those that say what is no longer so stay where they are')
    .option('--all', 'all of them')
    .option('--json', 'print what was done as JSON')
    .action(async (ids: string[], { all = false, json = false }: { all?: boolean; json?: boolean }) => {
      if (all === ids.length > 0) throw new Error('Cannot tell what to deliver again: give IDs, or --all')
      const done = await withStore((store) => redeliverAlerts(store, all ? 'all' : ids))
      process.stdout.write(json ? `${JSON.stringify(done)}\n` : redeliveryReport(done))
    })
  alert
    .command('enable')
    .argument('<destination>', 'its name in the file that HEADWATER_ALERTS names')
    .description('send again to a destination that was disabled because it answered 410')
    .action(async (name: string) => {
      if (!(await withStore((store) => enableAlertDestination(store, name)))) {
        throw new Error(`Cannot enable "${name}": no destination of that name is disabled`)
      }
      process.stdout.write(
        `"${name}" gets messages again; send what it missed with \`headwater alert redeliver --all\`\n`,
      )
    })
}

interface LogOptions {
  destination?: string
  limit: number
  json?: boolean
  state?: AlertLogEntry['state']
}

/** The alerts that are set up; an error where there are none. */
export function alertSettings(): AlertSettings {
  const settings = readAlertSettings(process.env)
  if (settings !== undefined) return settings
  throw new Error('Cannot find the alerts: set HEADWATER_ALERTS to a YAML file of destinations and routes')
}

async function withStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const store = connectStore(engineUrls(readStoreSettings(process.env)))
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

function rehearsalReport(results: readonly Rehearsal[]): string {
  const rows = results.map(({ route, destination, change, isTaken, says }) => [
    route,
    destination,
    change,
    isTaken ? 'taken' : 'NOT TAKEN',
    says,
  ])
  return table(['ROUTE', 'DESTINATION', 'MESSAGE', 'RESULT', 'WHAT IT SAID'], rows)
}

async function log(store: Store, { destination, limit, state, json = false }: LogOptions): Promise<string> {
  const entries = await readAlertLog(store, {
    limit,
    ...(state === undefined ? {} : { state }),
    ...(destination === undefined ? {} : { destination }),
  })
  if (json) return `${JSON.stringify({ items: entries })}\n`
  if (entries.length === 0) return state === 'dead' ? 'No dead letters\n' : 'No messages yet\n'
  const rows = entries.map((entry) => [
    entry.id,
    entry.createdAt,
    entry.destination,
    entry.change,
    entry.dueAt !== null && entry.attempts > 0 ? `waiting until ${entry.dueAt}` : entry.state,
    String(entry.attempts),
    entry.title,
    entry.reason,
  ])
  return table(['ID', 'WRITTEN', 'DESTINATION', 'MESSAGE', 'STATE', 'ATTEMPTS', 'TITLE', 'LAST'], rows)
}

async function attempts(store: Store, id: string, { json = false }: LogOptions): Promise<string> {
  const made = await readAlertAttempts(store, id)
  if (json) return `${JSON.stringify({ items: made })}\n`
  if (made.length === 0) throw new Error(`Cannot find an attempt at "${id}": see \`headwater alert log\``)
  const rows = made.map(({ atMs, outcome, tookMs, detail }) => [
    new Date(atMs).toISOString(),
    outcome,
    `${tookMs} ms`,
    detail,
  ])
  return table(['AT', 'OUTCOME', 'TOOK', 'WHAT IT SAID'], rows)
}

function redeliveryReport({ again, outdated, disabled }: Redelivery): string {
  const lines = [`${again.length} put into the outbox again`]
  if (outdated.length > 0) {
    lines.push(
      `${outdated.length} left alone, since a later message of the same incident was delivered: ${outdated.join(', ')}`,
    )
  }
  if (disabled.length > 0) {
    lines.push(
      `${disabled.length} left alone, since their destination is disabled (\`headwater alert enable NAME\`): ${disabled.join(', ')}`,
    )
  }
  return `${lines.join('\n')}\n`
}

function readLimit(text: string): number {
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1_000) return limit
  throw new InvalidArgumentError('give a number from 1 to 1000')
}
