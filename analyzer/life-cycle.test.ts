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
    causes: [],
    impact: { services: [], flows: [], users: { affected: 0, seen: 0, share: 0 }, since: at },
    anomalies: [],
    scope,
    quietSteps,
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
        case 'update':
          open[at] = incident(id, [...new Set([...scope, ...decision.group.services])])
          break
        case 'wait':
          open[at] = incident(id, scope, decision.quietSteps)
          break
        case 'resolve':
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
      )
      const about = decisions.flatMap((decision) => (decision.deed === 'open' ? [] : [decision.incident.id]))
      expect(about.toSorted()).toEqual(open.map(({ id }) => id))
      const placed = decisions.flatMap((decision) => ('group' in decision ? decision.group.services : []))
      for (const members of groups) for (const member of members) expect(placed).toContain(member)
      const waits = decisions.flatMap((decision) => (decision.deed === 'wait' ? [decision.quietSteps] : []))
      for (const quietSteps of waits) expect(quietSteps).toBeLessThan(parameters.quietStepsToClose)
    }),
  )
})
