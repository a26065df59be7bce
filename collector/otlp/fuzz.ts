// Gives changed recordings to the walkers and to the reference decoder until they disagree.
//
//   node collector/otlp/fuzz.ts --seconds 600 [--seed 7]

import { parseArgs } from 'node:util'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { inflate } from '../body.ts'
import { Refusal } from '../refusal.ts'
import { jsonToProtobuf, type KeptSignal } from './json-to-protobuf.ts'
import { Chance } from './reference/chance.ts'
import { countReads } from './reference/counted-reads.ts'
import { anyTime, createIntake, Judge } from './reference/judge.ts'
import { mutateJson } from './reference/mutate-json.ts'
import { mangle, mutate, piecesOf } from './reference/mutate.ts'
import { readRecordings } from './reference/recordings.ts'
import { WireError } from './wire.ts'

/** How the mutants fared. */
export interface FuzzCounts {
  mutants: number
  /** Did not inflate, or were no JSON of a request. */
  unreadable: number
  /** Neither walker nor reference took them for a request. */
  refused: number
  rows: number
  rejected: number
}

/** A mutant that walker and reference do not agree on, or that broke one of them. */
export class Disagreement extends Error {
  override readonly name = 'Disagreement'

  constructor(signal: KeptSignal, body: Buffer, cause: unknown) {
    super(`The walker went wrong on ${signal}: ${body.toString('base64')}: ${String(cause)}`, { cause })
  }
}

/** Of each recording so many pieces. */
const piecesOfEach = 20
/** Records of one piece, at most. */
const pieceRecordsMax = 3

interface Seeds {
  signal: KeptSignal
  /** Small pieces of the recordings in protobuf. */
  bodies: Buffer[]
  /** The stories in JSON. */
  jsonBodies: Buffer[]
  judge: Judge
}

function seedsOf(signal: KeptSignal, chance: Chance): Seeds {
  const recordings = readRecordings().filter((recording) => recording.signal === signal)
  const bodies = recordings
    .filter(({ format }) => format === 'protobuf')
    .flatMap(({ body }) => piecesOf(signal, body, { pieces: piecesOfEach, recordsMax: pieceRecordsMax, chance }))
  const jsonBodies = recordings
    .filter(({ format, encoding, name }) => format === 'json' && encoding === 'identity' && name.includes('story'))
    .map(({ body }) => body)
  return { signal, bodies, jsonBodies, judge: new Judge(signal, { neighbour: bodies[0] as Buffer }) }
}

/** Tries mutants while `goesOn` says so. */
export function fuzz({ seed, goesOn }: { seed: number; goesOn: (mutants: number) => boolean }): FuzzCounts {
  const chance = new Chance(seed)
  const traces = seedsOf('traces', chance)
  const logs = seedsOf('logs', chance)
  const counts: FuzzCounts = { mutants: 0, unreadable: 0, refused: 0, rows: 0, rejected: 0 }
  while (goesOn(counts.mutants)) {
    counts.mutants += 1
    const seeds = chance.oneIn(4) ? logs : traces
    const mutant = nextMutant(seeds, chance)
    if (mutant === undefined) {
      counts.unreadable += 1
      continue
    }
    try {
      if (chance.oneIn(50)) requireBoundedWork(seeds.signal, mutant)
      const { rows, rejected } = seeds.judge.judge(mutant)
      if (rows === undefined) counts.refused += 1
      counts.rows += rows?.length ?? 0
      counts.rejected += rejected
    } catch (error) {
      throw new Disagreement(seeds.signal, mutant, error)
    }
  }
  return counts
}

/** Each byte of a few records is read so often at most: a resource is read again for each of its scopes. */
const readsPerByteMax = 100

function requireBoundedWork(signal: KeptSignal, mutant: Buffer): void {
  const { bytes, reads } = countReads(mutant)
  try {
    createIntake(signal).walk(bytes, anyTime)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
  }
  const readsMax = readsPerByteMax * mutant.length
  if (reads() > readsMax) throw new Error(`${reads()} reads of ${mutant.length} bytes, at most ${readsMax} are due`)
}

/** The protobuf of a mutant, whichever way it came; undefined when it cannot be read. */
function nextMutant({ signal, bodies, jsonBodies }: Seeds, chance: Chance): Buffer | undefined {
  if (chance.oneIn(10)) return fromJson(signal, mutateJson(chance.pick(jsonBodies), chance))
  const mutant = mutate(signal, chance.pick(bodies), chance.pick(bodies), chance)
  if (!chance.oneIn(20)) return mutant
  return chance.oneIn(2)
    ? inflated('gzip', mangle(gzipSync(mutant), chance))
    : inflated('zstd', mangle(zstdCompressSync(mutant), chance))
}

function fromJson(signal: KeptSignal, body: Buffer): Buffer | undefined {
  try {
    return jsonToProtobuf(signal, body, { objectsMax: 100_000 })
  } catch (error) {
    if (error instanceof TypeError || error instanceof SyntaxError) return undefined
    throw new Disagreement(signal, body, error)
  }
}

function inflated(encoding: 'gzip' | 'zstd', sent: Buffer): Buffer | undefined {
  try {
    return inflate(sent, encoding, { grow: () => undefined, charge: () => undefined, release: () => undefined })
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { seconds: { type: 'string' }, seed: { type: 'string' } } })
  const untilMs = Date.now() + Number(values.seconds ?? 60) * 1_000
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  process.stdout.write(`seed ${seed}\n`)
  process.stdout.write(`${JSON.stringify(fuzz({ seed, goesOn: () => Date.now() < untilMs }))}\n`)
}
