/**
 * One unit of work, from its entry to its last effect, over all its traces. It is the trace ID that the work began with.
 * It is no secret and grants nothing.
 */
export type FlowId = string

const flowIdForm = /^(?!0{32})[0-9a-f]{32}$/
// oxlint-disable-next-line no-control-regex -- a control character in a name would break headers, logs and signatures.
const controlCharacter = /[\u0000-\u001f\u007f-\u009f]/

/** The flow ID that `text` states: 32 lowercase hex digits, not all zero. Anything else states none. */
export function parseFlowId(text: string | undefined): FlowId | undefined {
  return text !== undefined && flowIdForm.test(text) ? text : undefined
}

/** Longest name of a flow, in UTF-16 units; a route that is longer is not a kind of work but a piece of data. */
export const flowNameCharsMax = 200

/** The flow name that `text` states: not empty, without control characters, at most 200 characters long. */
export function parseFlowName(text: unknown): string | undefined {
  const name = typeof text === 'string' ? text.trim() : undefined
  if (name === undefined || name === '' || name.length > flowNameCharsMax || controlCharacter.test(name))
    return undefined
  return name.isWellFormed() ? name : undefined
}
