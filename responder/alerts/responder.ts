// One round after another: what has to be told is written down, and what is written down is sent. Only the leader does either.
import { createHash, randomUUID } from 'node:crypto'
import {
  type AlertDestination,
  buryAlerts,
  countAlerts,
  forgetOldAlerts,
  type Lease,
  LeaseLost,
  readAlertableIncidents,
  readAlertDestinations,
  readAlertKnowledge,
  readOpenAlerts,
  releaseLease,
  saveAlertThread,
  type Store,
  takeLease,
  useAlertDestinations,
} from '@headwater/store'
import type { AlertExample, AlertIncident, Incident } from '@headwater/vocabulary'
import type { Destination } from './configuration.ts'
import { exampleRun } from './example-run.ts'
import { alertRequest } from './formats/request.ts'
import { createHeartbeat } from './heartbeat.ts'
import { post } from './http/post.ts'
import { alertMetrics, type AlertMetrics } from './metrics.ts'
import { reasonOf } from './outcome.ts'
import { planFor } from './plan.ts'
import { lostDestination, lostId, type Subject, subjectOf } from './route.ts'
import { createSender } from './sender.ts'
import type { AlertSettings } from './settings.ts'

export interface ResponderOptions {
  store: Store
  settings: AlertSettings
  log?: (line: string) => void
  /** Unix milliseconds. */
  clock?: () => number
  /** Between 0 and 1. */
  chance?: () => number
  /** For one request. */
  timeoutMs?: number
  /** A round does not spend longer on examples: the lease has to be renewed, and people have to be told. */
  examplesMs?: number
}

export interface Responder {
  metrics: AlertMetrics
  /** Tells what has to be told now and starts to send what is due. Throws when an engine fails; the next round repeats it. */
  round(): Promise<void>
  /** Done when nothing is on its way. */
  settled(): Promise<void>
  /** Lets go of the lease once what is on its way has ended, or been given up. */
  stop(): Promise<void>
}

/** Longer than a request may take: one that was sent under a lease has ended before another one can lead. */
const leaseMs = 30_000
/** Alertmanagers are told of open alerts again so often. */
const refreshEveryMs = 60_000
const forgetEveryMs = 3_600_000
const examplesMax = 200
/** Each costs a query. */
const examplesPerMessage = 3
/** More messages do not wait for one destination; what is not told now is told when there is room. */
const waitingMax = 5_000
const stopWithinMs = 2_000

export function createResponder({
  store,
  settings,
  log = () => undefined,
  clock = Date.now,
  chance = Math.random,
  timeoutMs,
  examplesMs = 3_000,
}: ResponderOptions): Responder {
  const { configuration, publicUrl } = settings
  const { heartbeat } = configuration
  const metrics = alertMetrics()
  const holder = randomUUID()
  const names = Object.keys(configuration.destinations)
  const stopping = new AbortController()
  const examples = new Map<string, AlertExample>()
  const asides = new Set<Promise<void>>()
  let lease: Lease | undefined
  let isPrepared = false
  let refreshDueMs = 0
  let beatDueMs = 0
  let forgetDueMs = 0

  const beat = heartbeat && createHeartbeat(heartbeat, { store, metrics, log, signal: stopping.signal })
  const sender = createSender({
    store,
    settings,
    metrics,
    log,
    clock,
    chance,
    lease: () => lease,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  })

  /** What is known of the destinations; once under each lease they are written down as the file has them. */
  async function readDestinations(held: Lease, nowMs: number): Promise<AlertDestination[]> {
    if (isPrepared) return await readAlertDestinations(store, names)
    const inFile = Object.entries(configuration.destinations).map(([name, destination]) => ({
      name,
      address: addressOf(destination),
    }))
    const known = await useAlertDestinations(store, held, inFile, nowMs)
    isPrepared = true
    return known
  }

  /** Writes down what has to be told now. */
  async function tell(held: Lease, destinations: AlertDestination[], full: ReadonlySet<string>, nowMs: number) {
    const incidents = await readAlertableIncidents(store, names, nowMs)
    const subjects = incidents.map((incident) => subjectOf(incident, publicUrl))
    const lost = destinations.flatMap((destination) => lostSubject(destination, publicUrl) ?? [])
    const ids = [...subjects, ...lost].map(({ incident }) => incident.id)
    const knowledge = await readAlertKnowledge(store, names, ids)
    const examplesUntilMs = performance.now() + examplesMs
    for (const { name, since, disabledAt } of destinations) {
      const known = knowledge.get(name)
      if (known === undefined || disabledAt !== null) continue
      if (full.has(name)) {
        metrics.add('headwater_alerts_full_total', 1, { destination: name })
        continue
      }
      const plans = planFor({
        subjects: [...subjects, ...lost.filter(({ incident }) => incident.id !== lostId(name))],
        known: { ...known, destination: name, sinceMs: Date.parse(since) },
        configuration,
        nowMs,
      })
      for (const plan of plans) {
        const message = plan.message && {
          ...plan.message,
          incidents: await withExamples(plan.message.incidents, incidents, { nowMs, untilMs: examplesUntilMs }),
        }
        const isWritten = await saveAlertThread(store, held, { ...plan, message }, nowMs)
        if (!isWritten) continue
        if (message !== undefined) {
          metrics.add('headwater_alerts_messages_total', 1, { destination: name, change: message.change })
        }
        for (const reason of plan.silenced) metrics.add('headwater_alerts_silenced_total', 1, { reason })
      }
    }
  }

  async function withExamples(
    told: AlertIncident[],
    incidents: Incident[],
    { nowMs, untilMs }: { nowMs: number; untilMs: number },
  ) {
    const result: AlertIncident[] = []
    for (const incident of told) {
      const whole = incidents.find(({ id }) => id === incident.id)
      let example = examples.get(incident.id)
      if (
        example === undefined &&
        whole !== undefined &&
        result.length < examplesPerMessage &&
        performance.now() < untilMs
      ) {
        example =
          (await exampleRun(store, whole, { nowMs, waitMs: untilMs - performance.now(), publicUrl })) ?? undefined
        if (example !== undefined) {
          examples.set(incident.id, example)
          const [oldest] = examples.keys()
          if (examples.size > examplesMax && oldest !== undefined) examples.delete(oldest)
        }
      }
      result.push({ ...incident, example: example ?? null })
    }
    return result
  }

  /** How full the outbox is; what waits for nobody is given up. */
  async function lookAtOutbox(held: Lease, destinations: AlertDestination[], nowMs: number): Promise<Set<string>> {
    const counts = await countAlerts(store)
    const full = new Set<string>()
    for (const { destination, waiting, dead, oldestWaitingMs } of counts) {
      const reason = whyNobody(destinations.find(({ name }) => name === destination))
      if (waiting > 0 && reason !== undefined) {
        const buried = await buryAlerts(store, held, { destination, reason, nowMs })
        log(`alerts: ${buried} messages to "${destination}" are dead letters now: ${reason}`)
      }
      if (waiting >= waitingMax) full.add(destination)
      const labels = { destination }
      metrics.set('headwater_alerts_waiting', reason === undefined ? waiting : 0, labels)
      metrics.set('headwater_alerts_dead', dead + (reason === undefined ? 0 : waiting), labels)
      const ageMs = oldestWaitingMs === null || reason !== undefined ? 0 : Math.max(nowMs - oldestWaitingMs, 0)
      metrics.set('headwater_alerts_oldest_waiting_seconds', ageMs / 1_000, labels)
    }
    for (const name of names.filter((each) => !counts.some(({ destination }) => destination === each))) {
      for (const gauge of [
        'headwater_alerts_waiting',
        'headwater_alerts_dead',
        'headwater_alerts_oldest_waiting_seconds',
      ] as const)
        metrics.set(gauge, 0, { destination: name })
    }
    for (const { name, disabledAt } of destinations) {
      metrics.set('headwater_alerts_disabled', disabledAt === null ? 0 : 1, { destination: name })
    }
    return full
  }

  /** What is done from time to time, and waits for nobody. */
  function aside(work: () => Promise<void>): void {
    const done = work()
      .catch((error: unknown) => {
        metrics.add('headwater_alerts_failures_total')
        log(`alerts: ${error instanceof Error ? error.message : String(error)}`)
      })
      .finally(() => asides.delete(done))
    asides.add(done)
  }

  /** Alertmanager forgets what it is not told again, and all of it when it starts. */
  async function refresh(name: string, destination: Destination, nowMs: number): Promise<void> {
    for (const message of await readOpenAlerts(store, name)) {
      // The labels of before have been ended by the message itself.
      const incidents = message.incidents
        .filter(({ state }) => state === 'open')
        .map((incident) => ({ ...incident, labelledBefore: null }))
      if (incidents.length === 0) continue
      const request = alertRequest({ ...message, incidents }, destination, { name, publicUrl, nowMs })
      const reach = destination.private ? 'anywhere' : 'public'
      const reply = await post({
        ...request,
        reach,
        signal: stopping.signal,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      })
      const isTaken = reply.kind === 'answered' && reply.status < 300
      metrics.add('headwater_alerts_refreshes_total', 1, { destination: name, outcome: isTaken ? 'taken' : 'failed' })
      if (isTaken) continue
      log(`alerts: "${name}" was not told again of what is open: ${reasonOf(reply)}`)
      return
    }
  }

  function doWhatIsDue(held: Lease, destinations: AlertDestination[], nowMs: number): void {
    if (nowMs >= refreshDueMs) {
      refreshDueMs = nowMs + refreshEveryMs
      for (const { name, disabledAt } of destinations) {
        const destination = configuration.destinations[name]
        if (destination?.type === 'alertmanager' && disabledAt === null) aside(() => refresh(name, destination, nowMs))
      }
    }
    if (heartbeat !== undefined && beat !== undefined && nowMs >= beatDueMs) {
      beatDueMs = nowMs + heartbeat.every
      aside(() => beat(nowMs))
    }
    if (nowMs >= forgetDueMs) {
      forgetDueMs = nowMs + forgetEveryMs
      aside(async () => metrics.add('headwater_alerts_forgotten_total', await forgetOldAlerts(store, held, nowMs)))
    }
  }

  return {
    metrics,
    async round() {
      const nowMs = clock()
      const taken = await takeLease(store.postgres, { holder, ttlMs: leaseMs, name: 'responder' })
      if (taken?.epoch !== lease?.epoch) isPrepared = false
      lease = taken
      metrics.set('headwater_alerts_leader', taken === undefined ? 0 : 1)
      if (taken === undefined) return
      try {
        const destinations = await readDestinations(taken, nowMs)
        const full = await lookAtOutbox(taken, destinations, nowMs)
        await tell(taken, destinations, full, nowMs)
        for (const { name, disabledAt } of destinations) {
          const destination = configuration.destinations[name]
          if (destination !== undefined && disabledAt === null) await sender.start(name, destination, taken)
        }
        doWhatIsDue(taken, destinations, nowMs)
      } catch (error) {
        if (error instanceof LeaseLost) lease = undefined
        throw error
      }
    },
    async settled() {
      await sender.settled()
      while (asides.size > 0) await Promise.all(asides)
    },
    async stop() {
      const timer = setTimeout(() => stopping.abort(), stopWithinMs)
      await Promise.all([sender.stop(stopWithinMs), ...asides])
      clearTimeout(timer)
      metrics.set('headwater_alerts_leader', 0)
      if (lease !== undefined) await releaseLease(store.postgres, lease, 'responder').catch(() => undefined)
      lease = undefined
    },
  }
}

/** A destination that has said that it is gone, as the others are told; and that it is back, since it was enabled. */
function lostSubject(
  { name, disabledAt, reason, changedAt, since }: AlertDestination,
  publicUrl: string,
): Subject | undefined {
  if (disabledAt !== null) return lostDestination({ name, since: disabledAt, resolvedAt: null, reason }, publicUrl)
  if (changedAt === since) return undefined
  return lostDestination({ name, since, resolvedAt: changedAt, reason }, publicUrl)
}

function whyNobody(destination: AlertDestination | undefined): string | undefined {
  if (destination === undefined) return 'the destination is no longer in the file'
  return destination.disabledAt === null ? undefined : `the destination is disabled: ${destination.reason}`
}

/** Tells one address from another without keeping it: URLs and keys are secrets. */
function addressOf(destination: Destination): string {
  const parts = [destination.type, destination.url, destination.type === 'pagerduty' ? destination.routing_key : '']
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}
