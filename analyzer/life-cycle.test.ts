import type { TrackedIncident } from '@headwater/store'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide } from './life-cycle.ts'
import { parameters } from './parameters.ts'

function incident(id: string, scope: string[], quietSteps = 0): TrackedIncident {
  const at = '2026-11-20T12:00:00.000Z'
  return {
    id,
    state: 'open',
    title: id,
    since: at,
    openedAt: at,
    updatedAt: at,
    resolvedAt: null,
    resolvedBy: null,
    mergedInto: null,
    reopenings: 0,
    reopened: [],
    causes: [],
    confidence: 0,
    noCauseReason: null,
    impact: {
      services: [],
      flows: [],
      users: { affected: 0, seen: 0, share: 0, low: 0, high: 1 },
      atRisk: [],
      since: at,
    },
    anomalies: [],
    changes: [],
    acknowledged: null,
    comments: [],
    verdict: null,
    scope,
    quietSteps,
    isClosed: false,
  }
}

const groupOf = (services: string) => ({ services: services.split(' '), findings: [] })

/** Plays the groups of each step, separated by commas, and tells after the arrow what was done with them. */
function play(story: string): string {
  const open: TrackedIncident[] = []
  let opened = 0
  return story.replaceAll(/^( *)(\S.*?)( *)→.*$/gm, (_line, indent: string, seen: string, space: string) => {
    const groups = seen === 'quiet' ? [] : seen.split(',').map((text) => groupOf(text.trim()))
    const told = decide([...open], groups).map((decision) => {
      if (decision.deed === 'open') {
        opened += 1
        open.push(incident(`#${opened}`, decision.group.services))
        return `open #${opened}`
      }
      const { id, scope } = decision.incident
      const at = open.findIndex((known) => known.id === id)
      switch (decision.deed) {
        case 'reopen':
          throw new Error('Nothing that ended is told here')
        case 'update':
          open[at] = incident(id, [...new Set([...scope, ...decision.group.services])])
          break
        case 'wait':
          open[at] = incident(id, scope, decision.quietSteps)
          break
        case 'resolve':
        case 'merge':
          open.splice(at, 1)
          break
      }
      return `${decision.deed} ${id}`
    })
    return `${indent}${seen}${space}→ ${told.join(', ') || 'nothing'}`
  })
}

test('an incident opens, is updated while it lasts, and closes after three quiet steps', () => {
  const story = `
    quiet            → nothing
    payments         → open #1
    payments orders  → update #1
    quiet            → wait #1
    quiet            → wait #1
    quiet            → resolve #1
    quiet            → nothing`
  expect(play(story)).toBe(story)
})

test('an incident of which nobody can tell whether it goes on neither closes nor comes closer to it', () => {
  const [told] = decide([incident('#1', ['a'], 2)], [], { isUnjudged: ({ id }) => id === '#1' })
  expect(told).toMatchObject({ deed: 'wait', quietSteps: 2 })
})

test('an anomaly within the quiet steps starts the count anew', () => {
  const story = `
    payments  → open #1
    quiet     → wait #1
    quiet     → wait #1
    payments  → update #1
    quiet     → wait #1
    quiet     → wait #1
    quiet     → resolve #1`
  expect(play(story)).toBe(story)
})

test('a second incident of the same services does not open, also when only one of them is still hit', () => {
  const story = `
    gateway orders payments  → open #1
    gateway                  → update #1
    payments                 → update #1
    gateway, payments        → update #1`
  expect(play(story)).toBe(story)
})

test('problems of services that have nothing in common are incidents of their own', () => {
  const story = `
    payments, catalog  → open #1, open #2
    catalog            → wait #1, update #2
    catalog            → wait #1, update #2
    catalog            → resolve #1, update #2`
  expect(play(story)).toBe(story)
})

test('an incident grows with what is connected to it, and keeps what it had', () => {
  const story = `
    payments          → open #1
    payments orders   → update #1
    orders gateway    → update #1
    gateway           → update #1
    mailer            → open #2, wait #1`
  expect(play(story)).toBe(story)
})

test('what joins two incidents belongs to the older; the younger closes', () => {
  const story = `
    payments                  → open #1
    payments, catalog         → open #2, update #1
    payments gateway catalog  → update #1, wait #2
    payments gateway catalog  → update #1, wait #2
    payments gateway catalog  → update #1, resolve #2`
  expect(play(story)).toBe(story)
})

test('after an incident has closed, the same services open a new one', () => {
  const story = `
    payments  → open #1
    quiet     → wait #1
    quiet     → wait #1
    quiet     → resolve #1
    payments  → open #2`
  expect(play(story)).toBe(story)
})

const now = '2026-11-20T12:10:00.000Z'
const payments = { service: 'payments', operation: 'POST /charge', kind: 'errors' } as const
const told = { ...payments, score: 1, evidence: [], path: [] }

/** Ended five minutes ago, with payments as its cause. */
const ended = {
  ...incident('#1', ['gateway', 'payments']),
  state: 'resolved' as const,
  resolvedAt: '2026-11-20T12:05:00.000Z',
  causes: [told],
}

test('what comes back with the same cause soon after it ended is the same incident, whichever operation is hit more', () => {
  const group = groupOf('payments orders')
  const decisions = decide([], [group], {
    resolved: [ended],
    accusedOf: () => ({ ...payments, operation: 'POST /refund' }),
    now,
  })
  expect(decisions).toEqual([
    {
      deed: 'reopen',
      incident: ended,
      group,
      why: 'It came back 5 min after it had been resolved, with the same cause.',
    },
  ])
})

test('another cause, another kind of it, or other services are a new incident, and so is what nobody is accused of', () => {
  for (const accused of [{ ...payments, service: 'gateway' }, { ...payments, kind: 'latency' as const }, undefined]) {
    const decisions = decide([], [groupOf('payments')], { resolved: [ended], accusedOf: () => accused, now })
    expect(decisions.map(({ deed }) => deed)).toEqual(['open'])
  }
  const elsewhere = decide([], [groupOf('mailer')], { resolved: [ended], accusedOf: () => payments, now })
  expect(elsewhere.map(({ deed }) => deed)).toEqual(['open'])
})

test('traffic that is missing as much as when somebody resolved it is nothing new, and twice as much is', () => {
  const place = { signal: 'traffic' as const, service: 'gateway', operation: 'POST /orders' }
  const counts = { unit: 'calls' as const, pValue: 1e-9, calls: 40, baselineCalls: 100 }
  const anomaly = { ...place, ...counts, since: now, expected: 100, seen: 60, minimumDetectable: null, query: null }
  const known = { ...incident('#1', ['gateway']), anomalies: [anomaly], isClosed: true, resolvedBy: 'ada' }
  const deedsAt = (seen: number) => {
    const finding = { ...place, ...counts, expected: 100, seen, excessCalls: 100 - seen, excessNs: 0 }
    return decide([known], [{ services: ['gateway'], findings: [finding] }], { now }).map(({ deed }) => deed)
  }
  expect(deedsAt(60)).toEqual(['wait'])
  expect(deedsAt(10)).toEqual(['reopen'])
})

test('what ended with no cause comes back whoever is accused now, and where nobody is', () => {
  for (const accused of [payments, undefined]) {
    const decisions = decide([], [groupOf('payments')], {
      resolved: [{ ...ended, causes: [] }],
      accusedOf: () => accused,
      now,
    })
    expect(decisions).toMatchObject([
      { deed: 'reopen', why: 'It came back 5 min after it had been resolved, and had no cause then.' },
    ])
  }
})

test('two groups that come back are one reopening, and an open incident takes its own before', () => {
  const decisions = decide([], [groupOf('payments'), groupOf('gateway')], {
    resolved: [ended],
    accusedOf: () => payments,
    now,
  })
  expect(decisions).toMatchObject([{ deed: 'reopen', group: { services: ['payments', 'gateway'] } }])
  const open = incident('#2', ['payments'])
  expect(decide([open], [groupOf('payments')], { resolved: [ended], accusedOf: () => payments, now })).toMatchObject([
    { deed: 'update', incident: { id: '#2' } },
  ])
})

const failing = { ...payments, signal: 'origin-errors', expected: 0.1, unit: 'share' } as const
const counts = { pValue: 1e-9, calls: 100, baselineCalls: 1_000 }

/** Somebody has resolved it, and it goes on: three of ten calls fail. */
const closed: TrackedIncident = {
  ...incident('#1', ['gateway', 'payments'], 1),
  causes: [told],
  anomalies: [{ ...failing, ...counts, since: now, seen: 0.3, minimumDetectable: null, query: null }],
  resolvedBy: 'ada',
  isClosed: true,
}

function goesOn({ services = 'payments', accused = payments, seen = 0.35 } = {}): string {
  const group = {
    ...groupOf(services),
    findings: [{ ...failing, ...counts, seen, excessCalls: 20, excessNs: 0 }],
  }
  return decide([closed], [group], { accusedOf: () => accused, now })
    .map((decision) => (decision.deed === 'reopen' ? decision.why : decision.deed))
    .join()
}

test('an incident that somebody resolved stays so while it goes on as it was, and ends once it is quiet', () => {
  expect(goesOn()).toBe('wait')
  expect(goesOn({ services: 'gateway payments' })).toBe('wait')
  expect(decide([closed], [], { now })).toMatchObject([{ deed: 'wait', quietSteps: 2 }])
  expect(decide([{ ...closed, quietSteps: 2 }], [], { now })).toMatchObject([{ deed: 'resolve' }])
})

test('new evidence opens it again: another service, another cause, or twice as much of what was known', () => {
  expect(goesOn({ services: 'payments orders catalog' })).toBe(
    'orders, catalog depart from normal too, unlike when ada resolved it.',
  )
  expect(goesOn({ accused: { ...payments, service: 'gateway' } as never })).toBe(
    'The cause is now gateway (errors), which was none when ada resolved it.',
  )
  expect(goesOn({ seen: 0.5 })).toBe(
    'payments POST /charge is at least 2 times as bad (origin-errors) as when ada resolved it.',
  )
  expect(goesOn({ seen: 0.49 })).toBe('wait')
})

test('two groups of one incident are told as one, each finding once', () => {
  const finding = { signal: 'errors' } as never
  const known = incident('#1', ['a', 'b'])
  expect(
    decide(
      [known],
      [
        { services: ['a', 'c'], findings: [finding] },
        { services: ['b', 'c'], findings: [finding] },
      ],
    ),
  ).toEqual([{ deed: 'update', incident: known, group: { services: ['a', 'c', 'b'], findings: [finding] } }])
})

test('each open incident gets exactly one decision, each group a place, and none waits beyond its quiet steps', () => {
  const services = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { minLength: 1, maxLength: 3 })
  const incidents = fc.array(fc.tuple(services, fc.integer({ min: 0, max: parameters.quietStepsToClose - 1 })), {
    maxLength: 4,
  })
  fc.assert(
    fc.property(incidents, fc.array(services, { maxLength: 4 }), (scopes, groups) => {
      const open = scopes.map(([scope, quietSteps], i) => incident(`#${i}`, scope, quietSteps))
      const decisions = decide(
        open,
        groups.map((members) => ({ services: members, findings: [] })),
        { accusedOf: lastOf },
      )
      const about = decisions.flatMap((decision) => (decision.deed === 'open' ? [] : [decision.incident.id]))
      expect(about.toSorted()).toEqual(open.map(({ id }) => id))
      const updated = new Set(
        decisions.flatMap((decision) => (decision.deed === 'update' ? [decision.incident.id] : [])),
      )
      const into = decisions.flatMap((decision) => (decision.deed === 'merge' ? [decision.into.id] : []))
      expect(into.filter((id) => !updated.has(id))).toEqual([])
      const placed = decisions.flatMap((decision) => ('group' in decision ? decision.group.services : []))
      for (const members of groups) for (const member of members) expect(placed).toContain(member)
      const waits = decisions.flatMap((decision) => (decision.deed === 'wait' ? [decision.quietSteps] : []))
      for (const quietSteps of waits) expect(quietSteps).toBeLessThan(parameters.quietStepsToClose)
    }),
  )
})

/** A group accuses whatever service it names last. */
const lastOf = ({ services }: { services: string[] }) => ({ service: services.at(-1), kind: 'errors' }) as never
const blaming = (id: string, scope: string, service: string, quietSteps = 0): TrackedIncident => ({
  ...incident(id, scope.split(' '), quietSteps),
  causes: [{ ...told, service }],
})

test('groups that no call connects are one incident where they accuse the same', () => {
  const decisions = decide([], [groupOf('web math'), groupOf('app math'), groupOf('shop cart')], { accusedOf: lastOf })
  expect(decisions).toMatchObject([
    { deed: 'open', group: { services: ['web', 'math', 'app'] } },
    { deed: 'open', group: { services: ['shop', 'cart'] } },
  ])
})

test('a group of other services belongs to the incident with its cause', () => {
  const known = blaming('#1', 'web', 'math', 2)
  expect(decide([known], [groupOf('app math')], { accusedOf: lastOf })).toMatchObject([
    { deed: 'update', incident: { id: '#1' } },
  ])
  expect(decide([known], [groupOf('app cart')], { accusedOf: lastOf })).toMatchObject([
    { deed: 'open' },
    { deed: 'resolve', incident: { id: '#1' } },
  ])
})

test('of two incidents that have come to tell one cause the older goes on with all, and the younger is part of it', () => {
  const older = { ...blaming('#1', 'web', 'math'), since: '2026-11-20T12:00:10.000Z' }
  const younger = blaming('#2', 'app queue', 'math')
  expect(decide([older, younger], [groupOf('app math'), groupOf('web math')], { accusedOf: lastOf })).toMatchObject([
    {
      deed: 'update',
      incident: { id: '#1', scope: ['web', 'app', 'queue'], since: younger.since },
      group: { services: ['app', 'math', 'web'] },
      accused: { service: 'math' },
    },
    { deed: 'merge', incident: { id: '#2' }, into: { id: '#1' } },
  ])
  // Also where only one of them shows anything just then.
  expect(decide([older, younger], [groupOf('web math')], { accusedOf: lastOf })).toMatchObject([
    { deed: 'update', incident: { id: '#1' } },
    { deed: 'merge', incident: { id: '#2' } },
  ])
})

test('while two incidents tell other causes, what a step accuses does not make them one', () => {
  const [older, younger] = [blaming('#1', 'web', 'web'), blaming('#2', 'app', 'queue')]
  expect(decide([older, younger], [groupOf('web math'), groupOf('app math')], { accusedOf: lastOf })).toMatchObject([
    { deed: 'update', incident: { id: '#1' }, group: { services: ['web', 'math'] } },
    { deed: 'update', incident: { id: '#2' }, group: { services: ['app', 'math'] } },
  ])
})

test('an incident is no part of another while it has something of its own', () => {
  const [older, younger] = [blaming('#1', 'web', 'math'), blaming('#2', 'app queue', 'math')]
  const groups = [groupOf('web math'), groupOf('app math'), groupOf('queue')]
  expect(decide([older, younger], groups, { accusedOf: lastOf })).toMatchObject([
    { deed: 'update', incident: { id: '#1' }, group: { services: ['web', 'math', 'app'] } },
    { deed: 'update', incident: { id: '#2' }, group: { services: ['queue'] } },
  ])
})

test('the same service of another environment is another cause', () => {
  const staging = blaming('#1', 'shop/payments@staging', 'payments')
  expect(decide([staging], [groupOf('shop/payments@live')], { accusedOf: lastOf })).toMatchObject([
    { deed: 'open', group: { services: ['shop/payments@live'] } },
    { deed: 'wait', incident: { id: '#1' } },
  ])
  const live = blaming('#2', 'shop/payments@live', 'payments')
  const groups = [groupOf('shop/payments@staging'), groupOf('shop/payments@live')]
  expect(decide([staging, live], groups, { accusedOf: lastOf }).map(({ deed }) => deed)).toEqual(['update', 'update'])
})

test('what somebody has resolved neither takes anything in nor becomes part of anything', () => {
  const known = { ...blaming('#1', 'web', 'math'), isClosed: true, resolvedBy: 'ada' }
  expect(decide([known, blaming('#2', 'app', 'math')], [groupOf('app math')], { accusedOf: lastOf })).toMatchObject([
    { deed: 'wait', incident: { id: '#1' } },
    { deed: 'update', incident: { id: '#2' } },
  ])
  expect(decide([known], [groupOf('app math')], { accusedOf: lastOf })).toMatchObject([
    { deed: 'open', group: { services: ['app', 'math'] } },
    { deed: 'wait', incident: { id: '#1' } },
  ])
})

test('two groups of what somebody has resolved are new evidence where both accuse another', () => {
  const known = { ...closed, scope: ['a', 'b', 'zeta'] }
  const groups = [groupOf('a zeta'), groupOf('b zeta')]
  expect(decide([known], groups, { accusedOf: lastOf })).toMatchObject([
    { deed: 'reopen', why: 'The cause is now zeta (errors), which was none when ada resolved it.' },
  ])
})

test('what was judged before keeps an incident open as it is', () => {
  const known = incident('#1', ['payments'], 2)
  const decisions = decide([known], [groupOf('payments')], { isNews: () => false })
  expect(decisions).toEqual([{ deed: 'wait', incident: known, quietSteps: 0 }])
})
