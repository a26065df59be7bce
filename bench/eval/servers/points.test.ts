import fc from 'fast-check'
import { expect, test } from 'vitest'
import { scorePoints } from './points.ts'

const bits = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 1, maxLength: 40 })

test('one of two alarms is right, and one of two labelled points is found', () => {
  expect(scorePoints([0, 1, 1, 0], [0, 0, 1, 1])).toEqual({
    f1: 0.5,
    precision: 0.5,
    recall: 0.5,
    eventsFound: 1,
    events: 1,
    falseAlarms: 0,
  })
})

test('one alarm within a long event finds it, and is still one point of it', () => {
  expect(scorePoints([0, 0, 1, 0, 0, 0], [1, 1, 1, 1, 1, 0])).toMatchObject({ eventsFound: 1, recall: 0.2 })
})

test('an alarm that lasts is one false alarm', () => {
  expect(scorePoints([1, 1, 1, 0, 1, 0], [0, 0, 0, 0, 0, 1])).toMatchObject({ f1: 0, falseAlarms: 2, eventsFound: 0 })
})

test('alarms that are the labels are perfect', () => {
  fc.assert(
    fc.property(bits, (labels) => {
      fc.pre(labels.includes(1))
      const { f1, falseAlarms, eventsFound, events } = scorePoints(labels, labels)
      expect([f1, falseAlarms, eventsFound]).toEqual([1, 0, events])
    }),
  )
})
