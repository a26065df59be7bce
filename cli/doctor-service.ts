// `headwater doctor -- node app.js`: the service is started with the agent in it, and told to note what it finds; what it prints is
// its own business and goes where it would have gone.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type DoctorFinding, type DoctorNote, doctorVariable, readDoctorNote } from '@headwater/vocabulary'
import { doctorReport, widthOf } from './doctor.ts'

/** A finding of a service, and the program that it is about, where one is. */
export interface ServiceFinding extends DoctorFinding {
  program?: string
}

export interface ServiceRun {
  command: readonly string[]
  /** How long it may run, from the first word of the agent in it. */
  seconds: number
  /** Standard output is for the findings alone: what the service prints there goes to standard error. */
  isOutputOurs: boolean
}

/** How long a service may take to end when it is told to, and how long, at least, until the agent in it is heard. */
const endWithinMs = 5_000
const heardWithinMs = 10_000
const lookAgainAfterMs = 50

/** Runs a service for a while, and tells what of it is captured. */
export async function doctorService(run: ServiceRun): Promise<ServiceFinding[]> {
  const { command } = run
  const register = findRegister(command)
  if (register === undefined) {
    return [
      {
        check: 'agent',
        status: 'bad',
        says: `@headwater/agent is not installed where ${process.cwd()} or the program looks for it; nothing was started`,
        mend: 'npm i @headwater/agent',
      },
    ]
  }
  const directory = await mkdtemp(join(tmpdir(), 'headwater-doctor-'))
  const file = join(directory, 'notes')
  try {
    const end = await runService(run, register, file)
    const notes = readNotes(file)
    return [findingOf(command, end), ...(notes.length > 0 ? gathered(notes) : [nothingSeen(command)])]
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** The agent's module for `--import`, as the service would find it: from where it is started, or from where its program is. */
function findRegister(command: readonly string[]): string | undefined {
  const programs = command.slice(1).filter((argument) => !argument.startsWith('-') && existsSync(argument))
  for (const place of [process.cwd(), ...programs.map((program) => dirname(resolve(program)))]) {
    try {
      return createRequire(join(place, 'service.js')).resolve('@headwater/agent/register')
    } catch {
      // Not there.
    }
  }
  return undefined
}

interface End {
  code: number | null
  signal: NodeJS.Signals | null
  afterMs: number
  /** Who wanted it to end. */
  wanted: 'by itself' | 'by the doctor' | 'by you' | 'by force'
}

async function runService(
  { command, seconds, isOutputOurs }: ServiceRun,
  register: string,
  file: string,
): Promise<End> {
  const startedMs = performance.now()
  const child = spawn(command[0] ?? '', command.slice(1), {
    stdio: ['inherit', isOutputOurs ? process.stderr : 'inherit', 'inherit'],
    // In a group of its own, so that all of it can be ended, also what a shell or npm has started.
    detached: hasGroups,
    env: {
      ...process.env,
      [doctorVariable]: file,
      NODE_OPTIONS: [process.env['NODE_OPTIONS'] ?? '', `--import=${pathToFileURL(register).href}`].join(' ').trim(),
    },
  })
  let wanted: End['wanted'] = 'by itself'
  let dueMs = startedMs + Math.max(seconds * 1_000, heardWithinMs)
  let isHeard = false

  // Every signal goes on as it would without us: from a terminal to all of them; a second one ends whatever is left.
  const onSignal = (signal: NodeJS.Signals) => {
    if (wanted === 'by itself') {
      wanted = 'by you'
      dueMs = performance.now() + endWithinMs
      if (signal === 'SIGINT') sendToAll(child, signal)
      else child.kill(signal)
    } else dueMs = 0
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, onSignal)

  const timer = setInterval(() => {
    if (!isHeard && wanted === 'by itself' && existsSync(file)) {
      isHeard = true
      dueMs = performance.now() + seconds * 1_000
    }
    if (performance.now() < dueMs) return
    if (wanted === 'by itself') {
      wanted = 'by the doctor'
      dueMs = performance.now() + endWithinMs
      child.kill('SIGTERM')
    } else {
      wanted = 'by force'
      sendToAll(child, 'SIGKILL')
    }
  }, lookAgainAfterMs)
  try {
    const { code, signal } = await exitOf(child, command)
    const afterMs = performance.now() - startedMs
    await endRest(child)
    return { code, signal, afterMs, wanted }
  } finally {
    clearInterval(timer)
    for (const signal of signals) process.off(signal, onSignal)
  }
}

function exitOf(child: ChildProcess, command: readonly string[]) {
  const { promise, resolve: settle, reject } = Promise.withResolvers<Pick<End, 'code' | 'signal'>>()
  child.once('error', (cause) => reject(new Error(`Cannot run "${command.join(' ')}"`, { cause })))
  child.once('exit', (code, signal) => settle({ code, signal }))
  return promise
}

/** What the command has started and not ended, such as the service behind a shell. */
async function endRest(child: ChildProcess): Promise<void> {
  const untilMs = performance.now() + endWithinMs
  let isThere = sendToAll(child, 'SIGTERM')
  while (isThere && performance.now() < untilMs) {
    const { promise, resolve: wake } = Promise.withResolvers<void>()
    setTimeout(wake, lookAgainAfterMs)
    await promise
    isThere = sendToAll(child, 0)
  }
  if (isThere) sendToAll(child, 'SIGKILL')
}

const hasGroups = process.platform !== 'win32'

/** Whether there was anybody in the command's group to get it. */
function sendToAll({ pid }: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (pid === undefined) return false
  try {
    return process.kill(hasGroups ? -pid : pid, signal)
  } catch {
    return false
  }
}

function readNotes(file: string): DoctorNote[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line) => readDoctorNote(line) ?? [])
  } catch {
    return []
  }
}

const ranks = { unknown: 0, good: 1, bad: 2 }

/** The last word of each process on each thing; of processes that run the same program, the worst. */
function gathered(notes: readonly DoctorNote[]): ServiceFinding[] {
  const byProcess = new Map<string, DoctorNote>()
  for (const note of notes) byProcess.set(`${note.pid}\n${note.check}`, note)
  const byProgram = new Map<string, DoctorNote>()
  for (const note of byProcess.values()) {
    const key = `${note.program}\n${note.check}`
    const known = byProgram.get(key)
    if (known === undefined || ranks[note.status] > ranks[known.status]) byProgram.set(key, note)
  }
  return [...byProgram.values()].map(({ pid: _pid, ...finding }) => finding)
}

function findingOf(command: readonly string[], { code, signal, afterMs, wanted }: End): ServiceFinding {
  const check = 'service'
  const after = `after ${(afterMs / 1_000).toFixed(1)} s`
  const how = signal === null ? `with code ${code}` : `by ${signal}`
  const name = command.join(' ')
  switch (wanted) {
    case 'by itself':
      return code === 0
        ? { check, status: 'good', says: `${name}: ended by itself with code 0 ${after}` }
        : { check, status: 'bad', says: `${name}: ended by itself ${how} ${after}`, mend: 'what it printed says why' }
    case 'by the doctor':
      return { check, status: 'good', says: `${name}: ran, and ended ${how} when it was told to, ${after}` }
    case 'by you':
      return { check, status: 'good', says: `${name}: ran until you ended it, ${how} ${after}` }
    case 'by force':
      return { check, status: 'unknown', says: `${name}: did not end when it was told to, and was killed ${after}` }
  }
}

function nothingSeen(command: readonly string[]): ServiceFinding {
  return {
    check: 'agent',
    status: 'bad',
    says: `nothing of this service is captured: no process of "${command.join(' ')}" is a Node that loads the agent`,
    mend:
      'give the command that starts Node, such as `node app.js`; what is not Node sends its spans with an SDK of ' +
      'OpenTelemetry, by OTLP over HTTP',
  }
}

/** The findings as text, below what the service has printed, by program where there are several. */
export function serviceReport(findings: readonly ServiceFinding[]): string {
  const programs = [...new Set(findings.flatMap(({ program }) => program ?? []))]
  const about = (program: string | undefined) =>
    doctorReport(
      findings.filter((finding) => finding.program === program),
      widthOf(findings),
    )
  const bad = findings.filter(({ status }) => status === 'bad').length
  return [
    `\n${about(undefined)}`,
    ...programs.map((program) => `${programs.length > 1 ? `\n${program}\n` : ''}${about(program)}`),
    bad === 0 ? '\nNothing to mend.\n' : `\nTo mend: ${bad}.\n`,
  ].join('')
}
