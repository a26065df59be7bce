// Who is told what and when, as stories: each step is a moment and what is the case then.
import type { AlertMember, AlertThread } from '@headwater/store'
import type { Incident } from '@headwater/vocabulary'
import { expect, test } from 'vitest'
import { messageId, type Plan, planFor } from './plan.ts'
import { lostDestination, type Subject, subjectOf } from './route.ts'
import { type IncidentChange, testConfiguration, testIncident } from './test-incidents.ts'

const minuteMs = 60_000

/** A destination that remembers what it was told, as the store would. */
function tell(file: object, destination = 'hook') {
  const configuration = testConfiguration({
    destinations: {
      hook: { type: 'slack', url: 'https://hooks.example.com' },
      pager: { type: 'slack', url: 'https://pager.example.com' },
    },
    ...file,
  })
  const members = new Map<string, AlertMember>()
  const threads = new Map<string, AlertThread>()
  const waiting = new Set<string>()
  const silenced: string[] = []
  const planAt = (nowMs: number, subjects: Subject[]): Plan[] => {
    const known = { destination, sinceMs: 0, members: [...members.values()], threads: [...threads.values()], waiting }
    const plans = planFor({ subjects, known, configuration, nowMs })
    for (const plan of plans) {
      for (const member of plan.members) members.set(member.incidentId, member)
      silenced.push(...plan.silenced)
      if (plan.message === undefined) continue
      threads.set(plan.thread, { key: plan.thread, route: plan.route, changes: plan.changes + 1, toldAtMs: nowMs })
    }
    return plans
  }
  return {
    members,
    waiting,
    silenced,
    planAt,
    /** The messages of a moment: what happened and to which incidents. */
    at(minute: number, ...incidents: (Incident | IncidentChange)[]): string[] {
      const subjects = incidents.map((each) =>
        subjectOf('anomalies' in each ? each : testIncident(each), 'https://headwater.example.com'),
      )
      return planAt(minute * minuteMs, subjects).flatMap(({ message }) =>
        message === undefined
          ? []
          : [
              `${message.change} ${message.incidents.map(({ id }) => id).join('+')}${message.news.length === 0 ? '' : `: ${message.news.join(' ')}`}`,
            ],
      )
    },
  }
}

const toHook = { routes: [{ name: 'all', to: ['hook'] }] }
const at = (minute: number): number => minute * minuteMs

test('an incident is told once, however often it is looked at', () => {
  const told = tell(toHook)
  expect(told.at(0, {})).toEqual(['opened one'])
  expect(told.at(1, {})).toEqual([])
  expect(told.at(20, {})).toEqual([])
  expect(told.at(21, { resolvedMs: at(21) })).toEqual(['resolved one'])
  expect(told.at(22, { resolvedMs: at(21) })).toEqual([])
})

test('whoever hears that an incident ended hears, too, that it goes on as part of another one', () => {
  const told = tell({ routes: [{ name: 'all', to: ['hook'], group_by: 'all' }] })
  told.at(0, {}, { id: 'two', title: 'search is slow' })
  const link = 'https://headwater.example.com/incidents/one'
  expect(told.at(6, {}, { id: 'two', title: 'search is slow', resolvedMs: at(6), mergedInto: 'one' })).toEqual([
    `updated one+two: Part of another incident now, ${link} : search is slow`,
  ])
  const alone = tell(toHook)
  alone.at(0, { id: 'two', title: 'search is slow' })
  expect(alone.at(1, { id: 'two', title: 'search is slow', resolvedMs: at(1), mergedInto: 'one' })).toEqual([
    `resolved two: Part of another incident now, ${link} : search is slow`,
  ])
})

test('what is worse is told at once, other news at most every five minutes', () => {
  const told = tell(toHook)
  told.at(0, {})
  expect(told.at(1, { services: ['payments', 'shop', 'mail'] })).toEqual([])
  expect(told.at(2, { runs: [600, 1_000] })).toEqual(['updated one: It is worse: critical, after error.'])
  expect(told.at(3, { runs: [600, 1_000], services: ['payments', 'shop', 'mail'] })).toEqual([])
  expect(told.at(7, { runs: [600, 1_000], services: ['payments', 'shop', 'mail'] })).toEqual([
    'updated one: Hit as well: service mail.',
  ])
})

test('what gets better, and comes back as bad as it was, is no news', () => {
  const told = tell(toHook)
  told.at(0, { runs: [600, 1_000] })
  expect(told.at(10, { runs: [600, 10_000] })).toEqual([])
  expect(told.at(20, { runs: [6_000, 10_000] })).toEqual([])
})

test.each<[string, IncidentChange, string]>([
  [
    'another cause',
    { service: 'db', services: ['payments', 'shop'], operation: 'query' },
    'The cause is now seen in db query (errors). Hit as well: service db.',
  ],
  ['another operation', { operation: 'POST /refund' }, 'The cause is now seen in payments POST /refund (errors).'],
  [
    'another kind',
    { cause: { kind: 'dependency', peer: 'bank' } },
    'The cause is now seen in payments POST /charge (dependency of bank).',
  ],
  ['no cause any more', { cause: null }, 'payments POST /charge (errors) is no longer seen as the cause.'],
  ['another flow', { flow: 'GET /cart' }, 'Hit as well: flow GET /cart.'],
  ['twice as many users', { users: [20, 1_001] }, '20 users are affected, after 10.'],
])('%s is news', (_, change, sentence) => {
  const told = tell(toHook)
  told.at(0, {})
  expect(told.at(10, change)).toEqual([`updated one: ${sentence}`])
  expect(told.at(30, change)).toEqual([])
})

test.each<[string, IncidentChange]>([
  ['a few more runs', { runs: [220, 1_050] }],
  ['a few more users', { users: [19, 400] }],
  ['another order of what is hit', { services: ['shop', 'payments'] }],
  ['another title', { title: 'payments fails' }],
])('%s: no news', (_, change) => {
  const told = tell(toHook)
  told.at(0, {})
  expect(told.at(60, change)).toEqual([])
})

test('news wait for the message before, and are then compared with it', () => {
  const told = tell(toHook)
  told.at(0, {})
  told.waiting.add('one')
  expect(told.at(10, { runs: [700, 1_000] })).toEqual([])
  // The end does not wait.
  expect(told.at(11, { runs: [700, 1_000], resolvedMs: at(11) })).toEqual(['resolved one'])
})

test('an incident that is open again is told as one', () => {
  const told = tell(toHook)
  told.at(0, {})
  told.at(1, { resolvedMs: at(1) })
  expect(told.at(5, {})).toEqual(['opened one'])
  expect(told.at(9, { resolvedMs: at(9) })).toEqual(['resolved one'])
})

test('who takes an incident on is told at once, and once', () => {
  const told = tell(toHook)
  told.at(0, {})
  expect(told.at(1, { acknowledgedBy: 'ada' })).toEqual(['acknowledged one: Acknowledged by ada.'])
  expect(told.at(20, { acknowledgedBy: 'ada' })).toEqual([])
  expect(told.at(21, { acknowledgedBy: 'ada', runs: [700, 1_000] })).toEqual([
    'updated one: It is worse: critical, after error.',
  ])
})

test('an incident that is taken on before it is told is told as one', () => {
  expect(tell(toHook).at(0, { acknowledgedBy: 'ada' })).toEqual(['opened one'])
})

test('what comes back says why, and wants to be taken on again', () => {
  const told = tell(toHook)
  told.at(0, { acknowledgedBy: 'ada' })
  told.at(1, { acknowledgedBy: 'ada', resolvedMs: at(1) })
  expect(told.at(5, { returned: 'It came back 4 min after it had been resolved, with the same cause.' })).toEqual([
    'opened one: It came back 4 min after it had been resolved, with the same cause.',
  ])
  expect(told.at(6, { returned: 'It came back.', acknowledgedBy: 'ada' })).toEqual([
    'acknowledged one: Acknowledged by ada.',
  ])
})

test('a route that waits does not tell what is over sooner', () => {
  const told = tell({ routes: [{ name: 'patient', to: ['hook'], wait: '3m' }] })
  expect(told.at(0, {})).toEqual([])
  expect(told.at(2, { resolvedMs: at(2) })).toEqual([])
  expect(told.silenced).toEqual(['short'])
  expect(told.at(10, { id: 'two', openedMs: at(10) })).toEqual([])
  expect(told.at(13, { id: 'two', openedMs: at(10) })).toEqual(['opened two'])
})

test('an incident that lived longer than its route waits is told though nobody looked', () => {
  const told = tell({ routes: [{ name: 'patient', to: ['hook'], wait: '3m' }] })
  told.at(0, {})
  expect(told.at(30, { resolvedMs: at(20) })).toEqual(['resolved one'])
})

test('the first route that matches leads an incident to a destination, once', () => {
  const routes = [
    { name: 'grave', match: { severity: 'critical' }, to: ['pager', 'hook'] },
    { name: 'payments', match: { causes: ['pay*'] }, to: ['hook'] },
    { name: 'shop', match: { services: ['shop'], flows: ['POST *'] }, to: ['hook'] },
  ]
  const routeOf = (change: IncidentChange, destination = 'hook') => {
    const [plan] = tell({ routes }, destination).planAt(0, [subjectOf(testIncident(change), 'https://h')])
    return plan?.message?.route
  }
  expect(routeOf({ runs: [600, 1_000] })).toBe('grave')
  expect(routeOf({ runs: [600, 1_000] }, 'pager')).toBe('grave')
  expect(routeOf({}, 'pager')).toBeUndefined()
  expect(routeOf({})).toBe('payments')
  expect(routeOf({ service: 'mail', services: ['mail', 'shop'] })).toBe('shop')
  expect(routeOf({ service: 'mail', services: ['mail', 'shop'], flow: 'GET /cart' })).toBeUndefined()
})

test('an incident that a route takes only once it is grave is told then, and to its end', () => {
  const told = tell({ routes: [{ name: 'grave', match: { severity: 'critical' }, to: ['hook'] }] })
  expect(told.at(0, {})).toEqual([])
  expect(told.at(1, { runs: [600, 1_000] })).toEqual(['opened one'])
  expect(told.at(9, { runs: [600, 100_000], resolvedMs: at(9) })).toEqual(['resolved one'])
})

test('an incident without a route is looked at once more when it ends, and then no more', () => {
  const told = tell({ routes: [{ name: 'grave', match: { severity: 'critical' }, to: ['hook'] }] })
  told.at(0, {})
  told.at(9, { resolvedMs: at(9) })
  expect(told.silenced).toEqual(['unrouted'])
  expect(told.members.get('one')).toMatchObject({ told: null, isOpen: false })
})

test('during maintenance nobody is told; afterwards what is still open is', () => {
  const maintenance = [
    { name: 'upgrade', services: ['payments'], from: '1970-01-01T00:00:00Z', until: '1970-01-01T00:30:00Z' },
  ]
  const told = tell({ ...toHook, maintenance })
  expect(
    told.at(5, { openedMs: at(5) }, { id: 'two', openedMs: at(5) }, { id: 'db', service: 'db', openedMs: at(5) }),
  ).toEqual(['opened db'])
  expect(told.at(10, { openedMs: at(5), resolvedMs: at(10) }, { id: 'two', openedMs: at(5) })).toEqual([])
  expect(told.silenced).toEqual(['maintenance'])
  expect(told.at(31, { id: 'two', openedMs: at(5) })).toEqual(['opened two'])
})

test('maintenance keeps quiet about what was told before, except its end', () => {
  const maintenance = [{ name: 'upgrade', from: '1970-01-01T00:10:00Z', until: '1970-01-01T00:30:00Z' }]
  const told = tell({ ...toHook, maintenance })
  told.at(0, {})
  expect(told.at(12, { runs: [700, 1_000] })).toEqual([])
  expect(told.at(20, { runs: [700, 1_000], resolvedMs: at(20) })).toEqual(['resolved one'])
})

test('grouped incidents share messages: what joins, what leaves, and the end of all', () => {
  const told = tell({ routes: [{ name: 'all', to: ['hook'], group_by: 'service', update_every: '0s' }] })
  expect(told.at(0, {}, { id: 'two', operation: 'GET /status' }, { id: 'db', service: 'db' })).toEqual([
    'opened one+two',
    'opened db',
  ])
  expect(
    told.at(
      1,
      {},
      { id: 'two', operation: 'GET /status' },
      { id: 'three', operation: 'PUT /card', openedMs: at(1) },
      { id: 'db', service: 'db' },
    ),
  ).toEqual(['updated one+two+three: Opened: payments PUT /card fails'])
  expect(
    told.at(
      2,
      { resolvedMs: at(2) },
      { id: 'two', operation: 'GET /status' },
      { id: 'three', operation: 'PUT /card' },
      { id: 'db', service: 'db' },
    ),
  ).toEqual(['updated two+three+one: Resolved: payments POST /charge fails'])
  const rest = [
    { id: 'two', operation: 'GET /status', resolvedMs: at(3) },
    { id: 'three', operation: 'PUT /card', resolvedMs: at(3) },
  ]
  expect(told.at(3, ...rest, { id: 'db', service: 'db' })).toEqual(['resolved two+three'])
  expect(told.at(9, { id: 'four', openedMs: at(9) }, { id: 'db', service: 'db' })).toEqual(['opened four'])
})

test('a group stays what it was when the cause of an incident in it becomes another one', () => {
  const told = tell({ routes: [{ name: 'all', to: ['hook'], group_by: 'service' }] })
  told.at(0, {})
  expect(told.at(10, { service: 'db', services: ['payments', 'shop'] })).toEqual([
    'updated one: The cause is now seen in db POST /charge (errors). Hit as well: service db.',
  ])
  expect(told.at(11, { service: 'db', resolvedMs: at(11) })).toEqual(['resolved one'])
})

test('a message tells the labels that it replaces', () => {
  const told = tell(toHook)
  told.at(0, {})
  const [plan] = told.planAt(at(1), [subjectOf(testIncident({ runs: [600, 1_000] }), 'https://h')])
  expect(plan?.message?.incidents[0]).toMatchObject({
    severity: 'critical',
    labelledBefore: { severity: 'error', service: 'payments' },
  })
})

test('a destination that is lost is told to the others, and found again only to those', () => {
  const lost = (resolvedAt: string | null) =>
    lostDestination(
      { name: 'pager', since: '1970-01-01T00:00:00Z', resolvedAt, reason: 'it answered 410' },
      'https://h',
    )
  const told = tell(toHook)
  const titles = (plans: Plan[]) => plans.map(({ message }) => message?.incidents[0]?.title)
  expect(titles(told.planAt(0, [lost(null)]))).toEqual(['Alerts no longer go to "pager": it answered 410'])
  expect(titles(told.planAt(at(1), [lost('1970-01-01T00:01:00Z')]))).toEqual(['Alerts go to "pager" again'])
  expect(tell(toHook).planAt(at(1), [lost('1970-01-01T00:01:00Z')])).toEqual([])
})

test('a message has one ID for its destination, thread and number, and no dot, which signatures count with', () => {
  expect(messageId('hook', 'one', 1)).toBe(messageId('hook', 'one', 1))
  const ids = [
    ['hook', 'one', 2],
    ['pager', 'one', 1],
    ['hook', 'two', 1],
    ['hook', 'one', 1],
  ].map(([destination, thread, number]) => messageId(String(destination), String(thread), Number(number)))
  expect(new Set(ids).size).toBe(4)
  for (const id of ids) expect(id).toMatch(/^msg_[\w-]{27}$/)
})
