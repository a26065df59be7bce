// What goes on now, pushed each second. Where a WebSocket cannot be had (a proxy, a firewall), it is asked for instead.
import { replaceEqualDeep } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import { dataOf, GET, type Schemas } from './client.ts'

export type Snapshot = Schemas['Snapshot']

export interface Live {
  snapshot: Snapshot | undefined
  /** live: pushed; polling: asked for; away: neither works. */
  state: 'connecting' | 'live' | 'polling' | 'away'
}

const retryFirstMs = 500
const retryMostMs = 15_000
/** No word for this long means that the connection is dead, whatever it says of itself. */
const silentMs = 10_000
/** A page that nobody looks at lets go of its connection after this long. */
const hiddenMs = 60_000

let live: Live = { snapshot: undefined, state: 'connecting' }
const watchers = new Set<() => void>()
let socket: WebSocket | undefined
let retryMs = retryFirstMs
let timer: number | undefined
let watchdog: number | undefined
let hideTimer: number | undefined

function tell(next: Partial<Live>): void {
  // What is as it was stays the same object, so that nothing of it is drawn again.
  const snapshot = replaceEqualDeep(live.snapshot, next.snapshot ?? live.snapshot)
  live = { ...live, ...next, snapshot }
  for (const watcher of watchers) watcher()
}

async function take(data: unknown, from: WebSocket): Promise<void> {
  const snapshot = await read(data)
  retryMs = retryFirstMs
  if (snapshot !== undefined && socket === from) tell({ snapshot, state: 'live' })
}

async function read(data: unknown): Promise<Snapshot | undefined> {
  if (!(data instanceof Blob)) return undefined
  const stream = data.stream().pipeThrough(new DecompressionStream('gzip'))
  return (await new Response(stream).json()) as Snapshot
}

function connect(): void {
  clearTimeout(timer)
  if (watchers.size === 0 || document.hidden || socket !== undefined) return
  const opened = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`)
  socket = opened
  const hear = () => {
    clearTimeout(watchdog)
    watchdog = window.setTimeout(() => opened.close(), silentMs)
  }
  hear()
  opened.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    hear()
    void take(data, opened)
  })
  opened.addEventListener('close', () => {
    clearTimeout(watchdog)
    if (socket !== opened) return
    socket = undefined
    if (watchers.size === 0 || document.hidden) return
    void ask()
    retryMs = Math.min(retryMost(), retryMs * 2)
    timer = window.setTimeout(connect, retryMs)
  })
}

const retryMost = () => retryMostMs * (0.8 + 0.4 * Math.random())

async function ask(): Promise<void> {
  try {
    tell({ snapshot: await dataOf(GET('/api/v1/now')), state: 'polling' })
  } catch {
    tell({ state: 'away' })
  }
}

function leave(): void {
  const left = socket
  socket = undefined
  clearTimeout(timer)
  clearTimeout(watchdog)
  left?.close()
}

document.addEventListener('visibilitychange', () => {
  clearTimeout(hideTimer)
  if (document.hidden) hideTimer = window.setTimeout(leave, hiddenMs)
  else connect()
})

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher)
  connect()
  return () => {
    watchers.delete(watcher)
    // A change of pages leaves and joins again within the same moment.
    window.setTimeout(() => {
      if (watchers.size === 0) leave()
    }, 1_000)
  }
}

/** What goes on now; the component is drawn again with each snapshot. */
export function useLive(): Live {
  return useSyncExternalStore(subscribe, () => live)
}

/** After a sign-in: the connection that was refused is tried at once. */
export function reconnect(): void {
  leave()
  retryMs = retryFirstMs
  connect()
}
