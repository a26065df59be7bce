// What a peer states about a flow, in baggage and in x-flow-id, and how a shared key proves it. Pure, so that every rule of
// trust can be tested without a socket.

import { createHmac, timingSafeEqual } from 'node:crypto'
import { type FlowId, flowNameCharsMax, parseFlowId, parseFlowName } from '@headwater/vocabulary'
import { baggageBytesMax, baggageMembersMax } from './baggage.ts'

/** The members of ours in baggage. */
const memberNames = {
  id: 'flow.id',
  name: 'flow.name',
  service: 'service.name',
  signature: 'flow.sig',
} as const

export const flowIdHeader = 'x-flow-id'

/** Our own members must leave room for the user's. @internal Exported for tests. */
export const ownBytesMax = 512

export interface FlowClaims {
  id: FlowId | undefined
  name: string | undefined
  /** `service.name` of the peer. */
  service: string | undefined
  signature: string | undefined
}

export type ReadClaims = { state: 'none' } | { state: 'malformed' } | { state: 'stated'; claims: FlowClaims }

/** Reads what a peer states. Baggage goes before x-flow-id, which is for peers without OpenTelemetry. */
export function readClaims(baggage: string | undefined, xFlowId: string | undefined): ReadClaims {
  const members = new Map<string, string>()
  if (baggage !== undefined) {
    if (Buffer.byteLength(baggage) > baggageBytesMax) return { state: 'malformed' }
    const entries = baggage.split(',')
    if (entries.length > baggageMembersMax) return { state: 'malformed' }
    let ownBytes = 0
    for (const entry of entries) {
      const equals = entry.indexOf('=')
      const key = entry.slice(0, equals === -1 ? undefined : equals).trim()
      if (!ownMembers.has(key)) continue
      ownBytes += entry.trim().length
      const value = decoded(entry.slice(equals + 1).split(';', 1)[0] ?? '')
      // Said twice, by two who did not know of each other: whom to believe?
      const isRepeated = members.has(key)
      if (equals === -1 || value === undefined || isRepeated || ownBytes > ownBytesMax) return { state: 'malformed' }
      members.set(key, value)
    }
  }
  if (members.size === 0 && xFlowId === undefined) return { state: 'none' }
  const stated = members.get(memberNames.id) ?? xFlowId
  const id = parseFlowId(stated)
  const name = parseFlowName(members.get(memberNames.name))
  const service = parseFlowName(members.get(memberNames.service))
  const malformed =
    (stated !== undefined && id === undefined) ||
    (members.has(memberNames.name) && name === undefined) ||
    (members.has(memberNames.service) && service === undefined)
  if (malformed) return { state: 'malformed' }
  return { state: 'stated', claims: { id, name, service, signature: members.get(memberNames.signature) } }
}

const ownMembers = new Set<string>(Object.values(memberNames))

/** Whether the name of a baggage member is one of ours. */
export function isOwnMember(name: string): boolean {
  return ownMembers.has(name)
}

/**
 * Our members for an outgoing request, as they stand in the header, at most 512 bytes: a long flow name is left out first, then
 * the service's.
 */
export function writeClaims(flow: {
  id: FlowId
  name: string | undefined
  service: string
  sharedKey: string | undefined
}): string {
  const { id, sharedKey } = flow
  const [name, service] = [writable(flow.name), writable(flow.service)]
  for (const claims of [
    { id, name, service },
    { id, name: undefined, service },
  ]) {
    const members = membersOf(claims, sharedKey)
    if (members.length <= ownBytesMax) return members
  }
  return membersOf({ id, name: undefined, service: undefined }, sharedKey)
}

/** A name that may be stated, with its form in the header. */
interface Writable {
  text: string
  escaped: string
}

/** Names of routes and services are few, and escaping one costs as much as all the rest. */
const writableNames = new Map<string, Writable | undefined>()
const writableNamesMax = 1_024

function writable(name: string | undefined): Writable | undefined {
  if (name === undefined || name.length > flowNameCharsMax) return undefined
  if (writableNames.has(name)) return writableNames.get(name)
  const text = parseFlowName(name)
  const made = text === undefined ? undefined : { text, escaped: encodeURIComponent(text) }
  if (writableNames.size >= writableNamesMax) writableNames.clear()
  writableNames.set(name, made)
  return made
}

function membersOf(
  { id, name, service }: { id: FlowId; name: Writable | undefined; service: Writable | undefined },
  sharedKey: string | undefined,
): string {
  let members = `${memberNames.id}=${id}`
  if (name !== undefined) members += `,${memberNames.name}=${name.escaped}`
  if (service !== undefined) members += `,${memberNames.service}=${service.escaped}`
  if (sharedKey === undefined) return members
  const signature = sign({ id, name: name?.text, service: service?.text }, sharedKey)
  return `${members},${memberNames.signature}=${signature}`
}

/** HMAC-SHA256 over the flow's ID, its name and the caller's name, base64url. No part holds a line feed. @internal */
export function sign({ id, name, service }: Omit<FlowClaims, 'signature'>, sharedKey: string): string {
  return createHmac('sha256', sharedKey)
    .update(`${id ?? ''}\n${name ?? ''}\n${service ?? ''}`)
    .digest('base64url')
}

/** Whether `claims` bear the signature that `sharedKey` gives them; the comparison takes the same time for any wrong one. @internal */
export function isProven(claims: FlowClaims, sharedKey: string): boolean {
  const expected = Buffer.from(sign(claims, sharedKey))
  const stated = Buffer.from(claims.signature ?? '')
  return claims.id !== undefined && stated.length === expected.length && timingSafeEqual(stated, expected)
}

/**
 * What becomes of an inbound request: its flow and trace go on; only its trace goes on; or a new run begins, with a link to
 * the trace that came.
 */
export type Admission =
  | { verdict: 'continue'; claims: FlowClaims }
  | { verdict: 'trace only'; reason: 'nothing stated' | 'malformed' | 'unknown peer' }
  | { verdict: 'new run'; reason: 'untrusted' | 'unproven' }

/** `unknown` is a carrier that came through neither our HTTP door nor our queue door. */
export type PeerTrust = 'trusted' | 'untrusted' | 'unknown'

/** With a shared key, claims must be proven, and then the address does not matter; without claims the address decides. */
export function admit(read: ReadClaims, peer: PeerTrust, sharedKey: string | undefined): Admission {
  if (read.state === 'stated' && sharedKey !== undefined) {
    if (isProven(read.claims, sharedKey)) return { verdict: 'continue', claims: read.claims }
    return peer === 'unknown'
      ? { verdict: 'trace only', reason: 'unknown peer' }
      : { verdict: 'new run', reason: 'unproven' }
  }
  if (peer === 'untrusted') return { verdict: 'new run', reason: 'untrusted' }
  if (read.state === 'malformed') return { verdict: 'trace only', reason: 'malformed' }
  if (read.state === 'none') return { verdict: 'trace only', reason: 'nothing stated' }
  if (peer === 'unknown') return { verdict: 'trace only', reason: 'unknown peer' }
  return { verdict: 'continue', claims: read.claims }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.trim())
  } catch {
    return undefined
  }
}
