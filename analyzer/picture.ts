import { addHistogram, type Histogram } from '@headwater/vocabulary'
import type { CallState } from '@headwater/store'

/** One operation of a service, over all who call it. */
export interface OperationSeries {
  service: string
  operation: string
  calls: number
  errors: number
  originErrors: number
  selfNs: number
  durationNs: number
  duration: Histogram
  self: Histogram
  /** Calls that nobody of ours made. */
  entries: number
  /** Begins a trace: called from outside, or by message. */
  isRoot: boolean
}

/** Calls of one operation of a service to one callee, answered or not. */
export interface EdgeSeries {
  caller: string
  callerOperation: string
  service: string
  calls: number
  /** Calls of which no span of the callee came. */
  unanswered: number
  unansweredErrors: number
  /** Calls that failed, for whichever end. */
  failed: number
  /** Durations at the caller of calls without the callee's span. */
  durationNs: number
  duration: Histogram
  /** What the caller waited beyond the callee's own time, in answered calls of which both sent spans. */
  wire: Histogram
  wireNs: number
  /** Durations at the callee of answered calls that somebody waited for. */
  answeredNs: number
  /** Operations of the callee that answered, by calls. */
  operations: Map<string, number>
  async: boolean
}

/** What the states of some time say, by operation and by edge. */
export interface Picture {
  operations: Map<string, OperationSeries>
  edges: Map<string, EdgeSeries>
  /** Messages sent, by sender. */
  published: Map<string, number>
  /** Calls into each service that has spans of its own. */
  served: Map<string, number>
  /** Calls into services with spans, by caller. */
  made: Map<string, number>
  /** The flows that pass each service. */
  flowsThrough: Map<string, Set<string>>
}

export function operationKey(service: string, operation: string): string {
  return `${service}\u0000${operation}`
}

export function edgeKey(caller: string, callerOperation: string, service: string): string {
  return `${caller}\u0000${callerOperation}\u0000${service}`
}

export function pictureOf(states: CallState[]): Picture {
  const picture: Picture = {
    operations: new Map(),
    edges: new Map(),
    published: new Map(),
    served: new Map(),
    made: new Map(),
    flowsThrough: new Map(),
  }
  for (const state of states) {
    if (state.kind === 'publish') {
      raise(picture.published, state.caller, state.calls)
      continue
    }
    if (state.kind !== 'peer') {
      addOperation(picture, state)
      raise(picture.served, state.service, state.calls)
      addFlow(picture, state)
      if (state.caller !== '') raise(picture.made, state.caller, state.calls)
    }
    if (state.caller !== '') addEdge(picture, state)
  }
  return picture
}

function addOperation(picture: Picture, state: CallState): void {
  const key = operationKey(state.service, state.operation)
  let series = picture.operations.get(key)
  if (series === undefined) {
    series = {
      service: state.service,
      operation: state.operation,
      calls: 0,
      errors: 0,
      originErrors: 0,
      selfNs: 0,
      durationNs: 0,
      duration: {},
      self: {},
      entries: 0,
      isRoot: false,
    }
    picture.operations.set(key, series)
  }
  series.calls += state.calls
  series.errors += state.errors
  series.originErrors += state.originErrors
  series.selfNs += state.selfNs
  series.durationNs += state.durationNs
  addHistogram(series.duration, state.duration)
  addHistogram(series.self, state.self)
  if (state.kind === 'entry') series.entries += state.calls
  series.isRoot ||= state.kind === 'entry' || state.kind === 'async'
}

function addFlow({ flowsThrough }: Picture, { service, flowName }: CallState): void {
  // Of what is known as calls only, nobody knows the flow.
  if (flowName === '') return
  const flows = flowsThrough.get(service)
  if (flows === undefined) flowsThrough.set(service, new Set([flowName]))
  else flows.add(flowName)
}

function addEdge(picture: Picture, state: CallState): void {
  const key = edgeKey(state.caller, state.callerOperation, state.service)
  let edge = picture.edges.get(key)
  if (edge === undefined) {
    edge = {
      caller: state.caller,
      callerOperation: state.callerOperation,
      service: state.service,
      calls: 0,
      unanswered: 0,
      unansweredErrors: 0,
      failed: 0,
      durationNs: 0,
      duration: {},
      wire: {},
      wireNs: 0,
      answeredNs: 0,
      operations: new Map(),
      async: false,
    }
    picture.edges.set(key, edge)
  }
  edge.calls += state.calls
  edge.failed += Math.max(state.errors, state.clientErrors)
  if (state.kind === 'peer') {
    edge.unanswered += state.calls
    edge.unansweredErrors += state.clientErrors
    edge.durationNs += state.durationNs
    addHistogram(edge.duration, state.duration)
  } else {
    raise(edge.operations, state.operation, state.calls)
    edge.wireNs += state.wireNs
    addHistogram(edge.wire, state.wire ?? {})
    edge.async ||= state.kind === 'async'
    if (state.kind === 'sync') edge.answeredNs += state.durationNs
  }
}

function raise(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by)
}
