// Gives a body to the walker and to the reference, and throws where they disagree: in whether it is a request, in a row, in
// a rejection. The body stands between two good ones, which must come out as if it had never been there when it is refused.

import assert from 'node:assert/strict'
import { LogBlock, SpanBlock } from '@headwater/store'
import type { AcceptedWindow } from '../accepted-window.ts'
import { LogWalker } from '../log-walker.ts'
import { SpanWalker } from '../span-walker.ts'
import type { Walked } from '../walk.ts'
import { TooLarge } from '../too-large.ts'
import { WireError } from '../wire.ts'
import type { Redaction } from '../../redaction/redaction.ts'
import type { KeptSignal } from '../json-to-protobuf.ts'
import { decodeLogs, decodeTraces, RefusedByReference } from './decode-request.ts'
import { logRules } from './expected-logs.ts'
import { type Expected, expectedRows, type Row, type Times } from './expected-rows.ts'
import { spanRules } from './expected-spans.ts'
import { readNative } from './read-native.ts'
import { keepAll, type TextRules } from './value-text.ts'

/** Everything that a column of times can hold; now is 2026. */
export const anyTime: Times = { fromNs: 1n, toNs: 2n ** 63n - 1n, nowNs: 1_795_741_200_000_000_000n }

/** Leaves every text as it is. */
export const keepEverything: Redaction = { ...keepAll, looksAtEveryText: false, mayHoldSecret: () => false }

/** The limits of a request that is not refused for its size. */
const limits = { recordsMax: 1_000_000, columnBytesMax: 1 << 30, repeatedBytesMax: 64 << 20 }

/** A block, the walker that writes it and the rows that it should have, for one signal. */
export interface Intake {
  readonly columns: readonly { name: string; type: string }[]
  readonly walk: (body: Uint8Array, times: Times) => Walked
  readonly seal: () => Buffer
  readonly expected: (body: Uint8Array, times: Times, rules: TextRules) => Expected
}

/** An empty block of a signal with its walker. */
export function createIntake(signal: KeptSignal, redaction: Redaction = keepEverything): Intake {
  if (signal === 'traces') {
    const block = new SpanBlock()
    const walker = new SpanWalker(block, redaction, limits)
    return {
      columns: block.block.columns,
      walk: (body, times) => walker.walk(body, windowOf(times)),
      seal: () => block.seal(),
      expected: (body, times, rules) => expectedRows(decodeTraces(body), spanRules, { times, rules }),
    }
  }
  const block = new LogBlock()
  const walker = new LogWalker(block, redaction, limits)
  return {
    columns: block.block.columns,
    walk: (body, times) => walker.walk(body, windowOf(times), times.nowNs),
    seal: () => block.seal(),
    expected: (body, times, rules) => expectedRows(decodeLogs(body), logRules, { times, rules }),
  }
}

function windowOf({ fromNs, toNs }: Times): AcceptedWindow {
  return { fromNs, toNs }
}

export interface Judged {
  /** Rows of the body; undefined when it was refused. */
  rows: Row[] | undefined
  rejected: number
}

export interface JudgeOptions {
  redaction?: Redaction
  times?: Times
  /** A good request that stands before and after the body. */
  neighbour?: Uint8Array
}

/** What a walker makes of bodies, compared with what it should. Keeps its block from body to body, as the collector does. */
export class Judge {
  readonly #intake: Intake
  readonly #redaction: Redaction
  readonly #times: Times
  readonly #neighbour: Uint8Array
  readonly #neighbourRows: Row[]
  #mayBeRefused = false

  constructor(
    signal: KeptSignal,
    { redaction = keepEverything, times = anyTime, neighbour = new Uint8Array() }: JudgeOptions = {},
  ) {
    this.#intake = createIntake(signal, redaction)
    this.#redaction = redaction
    this.#times = times
    this.#neighbour = neighbour
    this.#neighbourRows = this.#intake.expected(neighbour, times, redaction).rows
  }

  /** Throws unless walker and reference agree. */
  judge(body: Uint8Array): Judged {
    this.#intake.walk(this.#neighbour, this.#times)
    const outcome = this.#walk(body)
    this.#intake.walk(this.#neighbour, this.#times)
    const rows = readNative(this.#intake.seal())
    const expected = this.#expected(body)
    if (outcome.state === 'refused' || expected === undefined) {
      const isAgreed = outcome.state === 'refused' && (expected === undefined || this.#mayBeRefused)
      assert.ok(isAgreed, describe(outcome))
      assert.deepEqual(rows, [...this.#neighbourRows, ...this.#neighbourRows])
      return { rows: undefined, rejected: 0 }
    }
    assert.deepEqual(rows, [...this.#neighbourRows, ...expected.rows, ...this.#neighbourRows])
    assert.deepEqual(outcome.rejections, expected.rejections)
    const rejected = expected.rejections.values().reduce((sum, count) => sum + count, 0)
    assert.equal(outcome.records, expected.rows.length + rejected)
    return { rows: expected.rows, rejected }
  }

  #walk(body: Uint8Array): Outcome {
    try {
      const { records, rejections } = this.#intake.walk(body, this.#times)
      return { state: 'taken', records, rejections: rejections.counts }
    } catch (error) {
      if (error instanceof WireError || error instanceof TooLarge) return { state: 'refused', error }
      throw error
    }
  }

  #expected(body: Uint8Array): Expected | undefined {
    this.#mayBeRefused = false
    const rules = { ...this.#redaction, onDoubt: () => (this.#mayBeRefused = true) }
    try {
      return this.#intake.expected(body, this.#times, rules)
    } catch (error) {
      if (error instanceof RefusedByReference) return undefined
      throw error
    }
  }
}

type Outcome = { state: 'taken'; records: number; rejections: Map<string, number> } | { state: 'refused'; error: Error }

function describe(outcome: Outcome): string {
  return outcome.state === 'refused'
    ? `the walker refuses it: ${outcome.error.message}`
    : 'only the reference refuses it'
}
