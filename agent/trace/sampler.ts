// Which traces are kept. The decision looks at the flow's ID where there is one, so that a run that goes on in a new trace
// behind a queue is kept whole or not at all, and tells in tracestate how many runs a kept one stands for.
// https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/

import { type SpanContext, TraceFlags, type TraceState, createTraceState } from '@opentelemetry/api'
import type { FlowId } from '@headwater/vocabulary'

export interface SamplingDecision {
  isSampled: boolean
  traceState: TraceState | undefined
}

/** `parent` is valid if it is there. */
export type Sampler = (parent: SpanContext | undefined, ids: { traceId: string; flowId: FlowId }) => SamplingDecision

/** The values of OTEL_TRACES_SAMPLER. */
export const samplerNames = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const
export type SamplerName = (typeof samplerNames)[number]

/** Whatever share a parent stands for, this one is always kept. */
const alwaysOn: Sampler = (parent) => ({ isSampled: true, traceState: withoutThreshold(parent?.traceState) })
const alwaysOff: Sampler = (parent) => ({ isSampled: false, traceState: parent?.traceState })

/** The sampler of that name; `ratio`, from 0 to 1, is for those that keep a part. */
export function makeSampler(name: SamplerName, ratio: number): Sampler {
  switch (name) {
    case 'always_on':
      return alwaysOn
    case 'always_off':
      return alwaysOff
    case 'traceidratio':
      return keepShare(ratio)
    case 'parentbased_always_on':
      return asParentDid(alwaysOn)
    case 'parentbased_always_off':
      return asParentDid(alwaysOff)
    case 'parentbased_traceidratio':
      return asParentDid(keepShare(ratio))
  }
}

function asParentDid(root: Sampler): Sampler {
  return (parent, ids) => {
    if (parent === undefined) return root(parent, ids)
    const isSampled = (parent.traceFlags & TraceFlags.SAMPLED) !== 0
    const isBelievable = parent.isRemote !== true || !isSampled || hasReachedThreshold(parent)
    return { isSampled, traceState: isBelievable ? parent.traceState : withoutThreshold(parent.traceState) }
  }
}

/** 56 bits of an ID are its random number, in hex digits. */
const randomDigits = 14

function keepShare(ratio: number): Sampler {
  const threshold = thresholdOf(ratio)
  const stated = threshold.replace(/0+$/, '') || '0'
  return (parent, { traceId, flowId }) => {
    const members = memberOf(parent?.traceState)
    const explicit = flowId === traceId ? members.get('rv') : flowId.slice(-randomDigits)
    const random = explicit ?? traceId.slice(-randomDigits)
    // As long as each other and in lower case, hex numbers are in the order of their texts.
    const isSampled = ratio > 0 && random >= threshold
    if (explicit !== undefined) members.set('rv', explicit)
    if (isSampled) members.set('th', stated)
    else members.delete('th')
    return { isSampled, traceState: withMember(parent?.traceState, members) }
  }
}

/** What others state may be wrong, and a weight that nobody stands for is worse than none. */
function hasReachedThreshold({ traceId, traceState }: SpanContext): boolean {
  if (traceState === undefined) return true
  const members = memberOf(traceState)
  const threshold = members.get('th')
  if (threshold === undefined) return true
  const random = members.get('rv') ?? traceId.slice(-randomDigits)
  return /^[0-9a-f]{1,14}$/.test(threshold) && random >= threshold.padEnd(randomDigits, '0')
}

function withoutThreshold(traceState: TraceState | undefined): TraceState | undefined {
  if (traceState === undefined) return undefined
  const members = memberOf(traceState)
  return members.delete('th') ? withMember(traceState, members) : traceState
}

/**
 * What a random number must reach to be kept, so that a share of `ratio` is: a share that is dropped, with the four
 * significant digits of the kept one that the specification recommends. A third is kept from aaab0000000000 on.
 */
function thresholdOf(ratio: number): string {
  const leadingFs = Math.floor((Math.floor(Math.log2(ratio)) + 1) / -4)
  const digits = Math.max(1, Math.min(12, 4 + leadingFs))
  const dropped = Math.min(Math.round((1 - ratio) * 16 ** digits), 16 ** digits - 1)
  return dropped.toString(16).padStart(digits, '0').padEnd(randomDigits, '0')
}

/** The parts of OpenTelemetry's own member of tracestate: `ot=th:c;rv:1234567890abcd`. */
function memberOf(traceState: TraceState | undefined): Map<string, string> {
  const parts = new Map<string, string>()
  for (const part of traceState?.get('ot')?.split(';') ?? []) {
    const colon = part.indexOf(':')
    if (colon > 0) parts.set(part.slice(0, colon), part.slice(colon + 1))
  }
  if (!/^[0-9a-f]{14}$/.test(parts.get('rv') ?? '')) parts.delete('rv')
  return parts
}

function withMember(traceState: TraceState | undefined, parts: Map<string, string>): TraceState | undefined {
  if (parts.size === 0) return traceState?.get('ot') === undefined ? traceState : traceState.unset('ot')
  const value = [...parts].map(([name, part]) => `${name}:${part}`).join(';')
  // Where there is no room for the new one, the old one would be wrong.
  return (traceState?.unset('ot') ?? createTraceState()).set('ot', value)
}
