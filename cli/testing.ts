// Runs the command line as users do: as a process of its own, with an environment of its own.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('headwater.js', import.meta.url))
const settingForm = /^(HEADWATER_.*|OTEL_.*|CLICKHOUSE_URL|DATABASE_URL|NODE_OPTIONS)$/

export interface Run {
  pid: number
  process: ChildProcess
  stdout: () => string
  stderr: () => string
  /** Its exit code, or the signal that ended it. */
  ended: Promise<number | string>
  /** Done when stdout bears the text; fails when the process ends before. */
  says(text: string): Promise<void>
}

/** Starts `headwater` with these arguments and settings, and none of the shell's own settings. */
export function start(
  args: string[],
  settings: Record<string, string> = {},
  node = process.execPath,
  cwd = process.cwd(),
): Run {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !settingForm.test(name)))
  const child = spawn(node, [program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd,
    env: { ...inherited, HEADWATER_PORT: '0', HEADWATER_OTLP_PORT: '0', ...settings },
  })
  const told = { stdout: '', stderr: '' }
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (told[name] += text))
  }
  return {
    pid: child.pid ?? 0,
    process: child,
    stdout: () => told.stdout,
    stderr: () => told.stderr,
    ended,
    async says(text) {
      const isThere = (): boolean => told.stdout.includes(text)
      while (!isThere()) {
        const heard = once(child.stdout, 'data').then(() => 'heard')
        if ((await Promise.race([heard, ended])) !== 'heard' && !isThere())
          throw new Error(`headwater ${args.join(' ')} ended before it said "${text}": ${told.stderr}`)
      }
    },
  }
}

/** Runs a command to its end. */
export async function run(args: string[], settings: Record<string, string> = {}, node = process.execPath) {
  const running = start(args, settings, node)
  const code = await running.ended
  return { code, stdout: running.stdout(), stderr: running.stderr() }
}

/** Processes that live, zombies left out: where nobody reaps orphans they stay in the table for good. */
function processTable(): { pid: number; parent: number }[] {
  if (process.platform === 'linux') {
    return readdirSync('/proc').flatMap((name) => {
      if (!/^\d+$/.test(name)) return []
      try {
        // The name of the program stands in brackets and may contain anything.
        const [state, parent] = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
        return state === 'Z' ? [] : [{ pid: Number(name), parent: Number(parent) }]
      } catch {
        return []
      }
    })
  }
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' }).trim().split('\n')
  return rows.flatMap((row) => {
    const [pid, parent, state] = row.trim().split(/\s+/)
    return state?.startsWith('Z') ? [] : [{ pid: Number(pid), parent: Number(parent) }]
  })
}

export function childrenOf(parent: number): number[] {
  return processTable()
    .filter((each) => each.parent === parent)
    .map(({ pid }) => pid)
}

export function isAlive(pid: number): boolean {
  return processTable().some((each) => each.pid === pid)
}
