// A rule's pattern meets texts that strangers write. JavaScript's usual engine goes back and tries again, which one
// hostile text can turn into minutes; V8's other engine reads every character once and refuses, when an expression is
// made, what it cannot do so: lookaround, back references, flags and high counts of repetition.

import { setFlagsFromString } from 'node:v8'

/** An expression that runs in linear time; throws a SyntaxError when there is none for this pattern. */
export function linearPattern(source: string): RegExp {
  // Lets V8 understand the flag `l`; other expressions go on as before. It must stay: V8 aborts when an expression with
  // `l` runs without it.
  setFlagsFromString('--enable-experimental-regexp-engine')
  // oxlint-disable-next-line no-invalid-regexp -- V8's own flag
  return new RegExp(source, 'gl')
}
