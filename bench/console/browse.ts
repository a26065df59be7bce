// The console in a real browser, on a real API and engine.

import { chromium, type Page, startBrowser, withoutChromium } from '@headwater/console/testing'
import { migratePostgres } from '@headwater/store'
import type { Row } from '../bench.ts'
import { type Child, startChild } from '../child.ts'
import { type Engine, startEngine } from '../ingest/engine.ts'
import { median } from '../median.ts'
import { judged, type Plan, told } from '../plan.ts'
import type { ApiAnswers } from './server.ts'
import { type Task, watchTasks } from './tasks.ts'

/** Longer tasks are felt. */
const taskMsMax = 200
const patienceMs = 600_000

export interface Served {
  engine: Engine
  api: Child<ApiAnswers>
  /** Of the API, which serves the console. */
  url: string
}

/** An engine with our tables, in a directory that stays where one is given, and an API in a process of its own. */
export async function serveStore(cleanup: AsyncDisposableStack, keptIn?: string): Promise<Served> {
  const engine = await startEngine({ keptIn })
  cleanup.defer(() => engine.stop())
  await migratePostgres(engine.store.postgres)
  const api = await startChild<ApiAnswers>('./console/server.ts')
  cleanup.defer(() => api.end())
  return { engine, api, url: await api.ask('start', engine.urls) }
}

/** What is told of a figure that takes a browser where there is none. */
export function skippedWithout(id: string): Row[] | undefined {
  return chromium === undefined ? [{ id, value: 'skipped', unit: withoutChromium }] : undefined
}

/** Pages, each of somebody who was never there before, until the browser is closed. */
export async function openBrowser(
  cleanup: AsyncDisposableStack,
): Promise<(visit: (page: Page) => Promise<void>) => Promise<void>> {
  const browser = await startBrowser({ protocolTimeout: patienceMs })
  cleanup.defer(() => browser.close())
  return async (visit) => {
    const context = await browser.createBrowserContext()
    const page = await context.newPage()
    page.setDefaultTimeout(patienceMs)
    await page.setViewport({ width: 1440, height: 900 })
    await visit(page)
    await context.close()
  }
}

/** A step that somebody takes on a page. */
export interface Step {
  name: string
  take: (page: Page) => Promise<void>
}

/**
 * Takes steps one after the other, in each round on a new page; gives the longest task of all of them. The steps are those on a console
 * of what `prepare` has written.
 */
export async function longestTask(
  id: string,
  unit: string,
  prepare: (served: Served) => Promise<readonly Step[]>,
  plan: Plan,
): Promise<Row[]> {
  const skipped = skippedWithout(`${id}_task_ms`)
  if (skipped !== undefined) return skipped
  await using cleanup = new AsyncDisposableStack()
  const steps = await prepare(await serveStore(cleanup))
  const visitAs = await openBrowser(cleanup)
  const rounds: Task[] = []
  for (let round = 0; round < plan.rounds; round += 1) {
    await visitAs(async (page) => {
      const tasks: Task[] = []
      for (const { name, take } of steps) {
        const { longest } = await watchTasks(page, () => take(page))
        plan.progress(`${id} ${name}: ${longest.cpuMs.toFixed(0)} ms CPU, ${longest.ms.toFixed(0)} ms: ${longest.what}`)
        tasks.push(longest)
      }
      rounds.push(...tasks.toSorted((a, b) => b.cpuMs - a.cpuMs).slice(0, 1))
    })
  }
  const middle = (value: (task: Task) => number): number => median(rounds.map(value))
  return [
    judged(
      `${id}_task_ms`,
      middle(({ cpuMs }) => cpuMs),
      `ms CPU, ${unit}`,
      { atMost: taskMsMax },
    ),
    told(
      `${id}_task_clock`,
      middle(({ ms }) => ms),
      'ms, the same tasks by the clock',
    ),
  ]
}
