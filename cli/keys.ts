import { resolve } from 'node:path'
import { addKey, readKeyFile, readKeysPath, readNewKey, removeKey } from '@headwater/collector'
import type { Command } from 'commander'
import { table } from './table.ts'

/** Adds `add`, `list` and `remove` to the command `keys`. */
export function addKeyCommands(keys: Command): void {
  keys
    .command('add')
    .argument('<name>', 'whose key it is; a name may have several, so that a new one can take over from an old one')
    .description('make a key, keep only its SHA-256, and print it this once')
    .option('--records-per-second <n>', 'what all keys of the name may send together (default: as they may now)')
    .option('--not-after <time>', 'the key is refused from then on, such as 2027-01-31T00:00:00Z')
    .option('--file <path>', 'the file of keys, made if it is missing (default: HEADWATER_KEYS)')
    .action((name: string, options: AddOptions) => void process.stdout.write(add(name, options, Date.now())))
  keys
    .command('list')
    .description('the keys, without anything that is secret of them')
    .option('--file <path>', 'the file of keys (default: HEADWATER_KEYS)')
    .option('--json', 'print the keys as JSON')
    .action(({ file, json = false }: { file?: string; json?: boolean }) => {
      const listed = list(file, Date.now())
      process.stdout.write(json ? `${JSON.stringify({ keys: listed })}\n` : listReport(listed))
    })
  keys
    .command('remove')
    .argument('<id>', 'as `headwater keys list` shows it, such as k_ab12cd34')
    .description('take a key out; collectors that run refuse it within seconds')
    .option('--file <path>', 'the file of keys (default: HEADWATER_KEYS)')
    .action((id: string, { file }: { file?: string }) => void process.stdout.write(remove(id, file)))
}

interface AddOptions {
  recordsPerSecond?: string
  notAfter?: string
  file?: string
}

function add(name: string, { file, ...options }: AddOptions, nowMs: number): string {
  const path = keysPath(file)
  // Nothing may fail between here and the print: nobody could get the key again.
  const hint = collectorHint(path)
  const { secret, key } = addKey(path, readNewKey({ name, ...options }, nowMs), { nowMs })
  const limit = key.recordsPerSecond === undefined ? '' : ` ${key.recordsPerSecond} records a second with all its keys`
  const end = key.notAfterMs === undefined ? '' : `, until ${new Date(key.notAfterMs).toISOString()}`
  // OpenTelemetry reads the variable as W3C Baggage, where a space has to be written as %20.
  const header = `authorization=${encodeURIComponent(`Bearer ${secret}`)}`
  return `Key ${key.id} lets "${key.name}" send${limit}${end}. It is shown now and never again:

  ${secret}

Its sender sets
  OTEL_EXPORTER_OTLP_HEADERS="${header}"
${hint}`
}

/** The collector does not know yet of a file that only --file names. */
function collectorHint(path: string): string {
  const known = readKeysPath(process.env)
  if (known !== undefined && resolve(known) === resolve(path)) return ''
  return `\nThe collector asks for keys when it is started with\n  HEADWATER_KEYS=${resolve(path)}\n`
}

interface ListedKey {
  id: string
  name: string
  createdAt: string
  notAfter?: string
  recordsPerSecond?: number
  state: 'good' | 'expired'
}

function list(file: string | undefined, nowMs: number): ListedKey[] {
  return readKeyFile(keysPath(file)).keys.map(({ id, name, createdAtMs, notAfterMs, recordsPerSecond }) => ({
    id,
    name,
    createdAt: new Date(createdAtMs).toISOString(),
    ...(notAfterMs === undefined ? {} : { notAfter: new Date(notAfterMs).toISOString() }),
    ...(recordsPerSecond === undefined ? {} : { recordsPerSecond }),
    state: notAfterMs !== undefined && nowMs >= notAfterMs ? 'expired' : 'good',
  }))
}

function listReport(keys: readonly ListedKey[]): string {
  if (keys.length === 0) return 'No keys: whoever sends is refused. Make one with `headwater keys add NAME`\n'
  const head = ['ID', 'NAME', 'CREATED', 'NOT AFTER', 'RECORDS/S', 'STATE']
  const rows = keys.map(({ id, name, createdAt, notAfter = '-', recordsPerSecond = '-', state }) => [
    id,
    name,
    createdAt,
    notAfter,
    String(recordsPerSecond),
    state,
  ])
  return table(head, rows)
}

function remove(id: string, file: string | undefined): string {
  const { removed, left } = removeKey(keysPath(file), id)
  const none = left === 0 ? 'No key is left: whoever sends is refused. Make one with `headwater keys add NAME`\n' : ''
  return `Key ${removed.id} of "${removed.name}" is removed\n${none}`
}

function keysPath(file: string | undefined): string {
  const path = file ?? readKeysPath(process.env)
  if (!path) throw new Error('Cannot find the keys: set HEADWATER_KEYS to the path of their file, or give --file')
  return path
}
