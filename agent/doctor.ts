// Loaded only where `headwater doctor` runs the service: what is found in here is told in the file that it reads. Each finding is
// written at once, as nobody knows how the service will end.

import { appendFileSync, readFileSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { createRequire, registerHooks } from 'node:module'
import { basename, dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type DoctorFinding, type DoctorNote, parseRange } from '@headwater/vocabulary'
import { guarded } from './capture/channel.ts'
import { onOutcome } from './capture/on-load.ts'
import { type Endpoint, poster } from './export/post.ts'
import { isAtLeast, judgeLibrary, knownLibraries, knownLibrary } from './known-libraries.ts'
import type { AgentSettings } from './settings/settings.ts'
import { agentVersion } from './version.ts'

export interface Doctor {
  /** Whether this process only starts the service, as npm does. */
  readonly isInRunner: boolean
  started: (settings: AgentSettings, env: NodeJS.ProcessEnv) => void
  /** Nothing is captured, and that is meant to be so. */
  switchedOff: () => void
  /** Nothing is captured. */
  failed: (reason: string) => void
}

/** Longest wait for the collector, and largest program that is searched for libraries that are bundled into it. */
const askAtMostMs = 3_000
const bundleBytesMax = 16_777_216

const runners = /^(npm|npx|pnpm|pnpx|yarn|corepack|nodemon|concurrently)([.-].*)?$/
const require = createRequire(import.meta.url)
/** Found before anything is watched: to look for it in the middle of being asked for it would never end. */
const ourApiPath = require.resolve('@opentelemetry/api')

/** Begins to tell in `file` what is found in this process. */
export function callDoctor(file: string): Doctor {
  const entryPath = process.argv[1]
  const program = entryPath === undefined ? 'node' : relative(process.cwd(), entryPath) || entryPath
  const isInRunner = runners.test(basename(entryPath ?? ''))
  const told = new Map<string, string>()

  function tell(finding: DoctorFinding): void {
    const note: DoctorNote = { pid: process.pid, program, ...finding }
    const line = JSON.stringify(note)
    if (isInRunner || told.get(finding.check) === line) return
    told.set(finding.check, line)
    try {
      appendFileSync(file, `${line}\n`)
    } catch {
      // The doctor has gone; the service goes on.
    }
  }

  const before = isInRunner ? [] : Object.keys(require.cache)
  tell({ check: 'node', status: 'good', says: `${process.versions.node} (${process.execPath})` })
  return {
    isInRunner,
    started(settings, env) {
      guarded('the doctor', () => {
        tellSettings(settings, env, tell)
        tellLoading(process.execArgv, env, tell)
        watchLibraries({ settings, before, program, tell, isTold: (check) => told.has(check) })
      })
    },
    switchedOff() {
      tell(nothing('OTEL_SDK_DISABLED is true', 'unset OTEL_SDK_DISABLED'))
    },
    failed(reason) {
      const isOther = reason.includes('another OpenTelemetry SDK')
      tell(nothing(reason, isOther ? 'use one of them: the agent, or the SDK that runs' : 'see what it says'))
    },
  }
}

function nothing(reason: string, mend: string): DoctorFinding {
  return { check: 'agent', status: 'bad', says: `nothing of this process is captured: ${reason}`, mend }
}

type Tell = (finding: DoctorFinding) => void

function tellSettings(settings: AgentSettings, env: NodeJS.ProcessEnv, tell: Tell): void {
  const service = String(settings.resource['service.name'])
  const isNamed = !service.startsWith('unknown_service')
  tell({
    check: 'agent',
    status: isNamed ? 'good' : 'unknown',
    says: `${agentVersion}, ${settings.tracing} tracing, as "${service}"`,
    ...(isNamed ? {} : { mend: 'set OTEL_SERVICE_NAME: services without a name are one' }),
  })
  for (const warning of settings.warnings) {
    tell({ check: /^[A-Z_]+/.exec(warning)?.[0] ?? 'settings', status: 'bad', says: warning, mend: 'see what it says' })
  }
  tell({
    check: 'trust',
    status: 'good',
    says: trustOf(env['HEADWATER_TRUST'] ?? '', settings.sharedKey !== undefined),
  })
  tell({
    check: 'requests',
    status: 'good',
    says: 'those served and those sent, by the channels of node:http and fetch',
  })
  if (settings.exports) void askCollector(settings.endpoint, tell)
  else tell({ check: 'collector', status: 'unknown', says: 'gets no spans: OTEL_TRACES_EXPORTER is none' })
}

/** Whether the command itself loads the agent, and before all else: here the doctor has seen to it. */
function tellLoading(flags: readonly string[], env: NodeJS.ProcessEnv, tell: Tell): void {
  // What the doctor has added stands last.
  const inherited = (env['NODE_OPTIONS'] ?? '').split(/\s+/).slice(0, -1)
  const imports = [...inherited, ...flags].join(' ').match(/--import[= ]\S+/g) ?? []
  const own = imports.findIndex((each) => each.includes('@headwater/agent/register'))
  if (own === 0) return
  tell({
    check: 'register',
    status: own === -1 ? 'unknown' : 'bad',
    says:
      own === -1
        ? 'the doctor has put the agent in: the command itself does not load it'
        : `the command itself loads the agent after ${imports[0]}, and what that loads is not captured`,
    mend: 'start with `node --import @headwater/agent/register`, before any other --import',
  })
}

/** Whom the service believes and whom it tells, in the words of the variable. */
function trustOf(stated: string, isSigned: boolean): string {
  const entries = stated.split(',').flatMap((entry) => entry.trim() || [])
  const ranges = entries.filter((entry) => parseRange(entry))
  const believed = ranges.length === 0 ? 'loopback, private and link-local addresses' : ranges.join(', ')
  const names = ['.internal', '.svc', '.cluster.local', ...entries.filter((entry) => !ranges.includes(entry))]
  return (
    `flows of peers at ${believed} go on${isSigned ? ', and only those signed with HEADWATER_SHARED_KEY' : ''}; told are ` +
    `${['private addresses', ...ranges].join(', ')}, names without a dot, ${names.join(', ')}`
  )
}

async function askCollector(endpoint: Endpoint, tell: Tell): Promise<void> {
  const shown = new URL(endpoint.url)
  shown.username = shown.password = ''
  const check = 'collector'
  tell({ check, status: 'unknown', says: `${shown.href} was asked, and the process ended before it answered` })
  const post = poster({ ...endpoint, timeoutMs: Math.min(endpoint.timeoutMs, askAtMostMs) })
  // An empty ExportTraceServiceRequest is no bytes at all.
  const answer = await post(Buffer.alloc(0), 'identity')
  switch (answer.kind) {
    case 'taken':
      return tell({ check, status: 'good', says: `takes spans at ${shown.href} (${answer.reason})` })
    case 'refused':
      return tell({
        check,
        status: 'bad',
        says: `refuses spans at ${shown.href}: ${answer.reason}`,
        mend: /^40[13]/.test(answer.reason)
          ? 'put a key that it knows into OTEL_EXPORTER_OTLP_HEADERS'
          : 'does OTEL_EXPORTER_OTLP_ENDPOINT name the port for OTLP over HTTP, 4318?',
      })
    case 'busy':
      return tell({
        check,
        status: 'bad',
        says: `takes no spans at ${shown.href}: ${answer.reason}`,
        mend: 'start `headwater up`, or let OTEL_EXPORTER_OTLP_ENDPOINT name a collector that runs',
      })
  }
}

interface Watch {
  settings: AgentSettings
  /** Files that were loaded when the agent came. */
  before: readonly string[]
  program: string
  tell: Tell
  isTold: (check: string) => boolean
}

function watchLibraries({ settings, before, program, tell, isTold }: Watch): void {
  const found = new Map<string, string>()
  let usesAgent = false
  let entryUrl: string | undefined
  let isKindKnown = false

  function look(path: string): void {
    const of = packageOf(path)
    const name = of && knownLibrary(of.name)
    if (!of || name === undefined) return
    const version = versionIn(of.directory)
    found.set(name, version)
    judge(name, version)
  }

  function judge(name: string, version: string): void {
    const { says, ...verdict } = judgeLibrary({ name, version, settings, usesAgent })
    tell({ check: name, ...verdict, says: `${version}: ${says}` })
  }

  function judgeAll(): void {
    for (const [name, version] of found) judge(name, version)
  }

  function tellEntry(kind: string | undefined): void {
    isKindKnown = kind !== undefined
    tell({ check: 'entry', status: 'good', says: kind === undefined ? program : `${program}, ${kind}` })
  }

  tellEntry(undefined)
  for (const path of before) look(path)
  // Instrumentations are done only when whoever asked has the library.
  onOutcome(() => queueMicrotask(() => guarded('the doctor', judgeAll)))
  registerHooks({
    resolve(specifier, hookContext, nextResolve) {
      const resolved = nextResolve(specifier, hookContext)
      const { parentURL } = hookContext
      try {
        if (parentURL === undefined && entryUrl === undefined && isEntry(resolved.url)) {
          entryUrl = resolved.url
          tellEntry(kindOf(resolved.format))
          void lookForBundled(fileURLToPath(entryUrl), program, { isTold, tell }).catch(() => undefined)
        } else if (parentURL === entryUrl && !isKindKnown) {
          tellEntry(require.main === undefined ? esModule : commonJs)
        }
        if (specifier === '@headwater/agent' && !usesAgent) {
          usesAgent = true
          judgeAll()
        }
        if (resolved.url.startsWith('file:') && resolved.url.includes('/node_modules/')) {
          const path = fileURLToPath(resolved.url)
          look(path)
          if (specifier === '@opentelemetry/api') compareApi(path, tell)
        }
      } catch {
        // What cannot be looked at is not told, and the service gets it all the same.
      }
      return resolved
    },
  })
}

const [esModule, commonJs] = ['an ES module', 'CommonJS']

/** Undefined where Node finds out from what stands in the file. */
function kindOf(format: string | null | undefined): string | undefined {
  if (format?.startsWith('module') === true) return esModule
  return format?.startsWith('commonjs') === true ? commonJs : undefined
}

/** What Node was started with may leave out the file's extension. */
function isEntry(url: string): boolean {
  const given = process.argv[1]
  if (given === undefined || !url.startsWith('file:')) return false
  try {
    return require.resolve(given) === fileURLToPath(url)
  } catch {
    return false
  }
}

/** The package that `path` belongs to; not one of the workspace, which is the service itself. */
function packageOf(path: string): { name: string; directory: string } | undefined {
  const found = /^(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(path.replaceAll(sep, '/'))
  return found ? { name: found[2] ?? '', directory: found[1] ?? '' } : undefined
}

const versions = new Map<string, string>()

/** Of a package; each of its files asks. */
function versionIn(directory: string): string {
  const known = versions.get(directory)
  if (known !== undefined) return known
  const version = readVersion(join(directory, 'package.json'))
  versions.set(directory, version)
  return version
}

function readVersion(path: string): string {
  try {
    const manifest: unknown = JSON.parse(readFileSync(path, 'utf8'))
    const { version } = manifest as { version?: unknown }
    return typeof version === 'string' ? version : '?'
  } catch {
    return '?'
  }
}

/** Instrumentations find nothing of an API that is older than their own. */
function compareApi(path: string, tell: Tell): void {
  const ours = packageOf(ourApiPath)
  const theirs = packageOf(path)
  if (!ours || !theirs || ours.directory === theirs.directory) return
  const [agents, services] = [versionIn(ours.directory), versionIn(theirs.directory)]
  const isOlder = !isAtLeast(agents, services.replace(/\.\d+$/, '.0'))
  if (!isOlder) return
  tell({
    check: '@opentelemetry/api',
    status: 'bad',
    says: `${services}: newer than the agent's ${agents}, so that what is made with it gets no spans`,
    mend: 'npm i @headwater/agent@latest, or the same version of @opentelemetry/api as it has',
  })
}

/** Libraries that the service is to have, or has inside of its program, and that no hook has seen yet. */
async function lookForBundled(
  entry: string,
  program: string,
  { isTold, tell }: Pick<Watch, 'isTold' | 'tell'>,
): Promise<void> {
  const isSmall = (await stat(entry)).size <= bundleBytesMax
  const text = isSmall ? await readFile(entry, 'utf8') : ''
  const wanted = await dependenciesOf(entry)
  for (const name of knownLibraries) {
    const isBundled = text.includes(`node_modules/${name}/`)
    if (isTold(name) || !(isBundled || wanted.has(name))) continue
    // As a version that nobody has yet, which has all channels.
    const { status, says } = judgeLibrary({
      name,
      version: '1000.0.0',
      settings: { instrumentations: 'auto', logIds: false },
      usesAgent: false,
    })
    if (!isBundled) {
      tell({ check: name, status: 'unknown', says: 'in package.json, not loaded so far; bundled, it cannot be seen' })
    } else if (status === 'good') {
      tell({ check: name, status, says: `bundled into ${program}: ${says}` })
    } else {
      tell({
        check: name,
        status: 'bad',
        says: `not captured: it is bundled into ${program}`,
        mend: 'leave it out of the bundle (external), so that it is loaded from node_modules',
      })
    }
  }
}

/** What the manifest next to `entry`, or above it, asks for. */
async function dependenciesOf(entry: string): Promise<ReadonlySet<string>> {
  for (let directory = dirname(entry); directory !== dirname(directory); directory = dirname(directory)) {
    try {
      const manifest: unknown = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'))
      const { dependencies } = manifest as { dependencies?: unknown }
      return new Set(typeof dependencies === 'object' && dependencies !== null ? Object.keys(dependencies) : [])
    } catch {
      // Above it, then.
    }
  }
  return new Set()
}
