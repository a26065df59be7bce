import type { MissingRuns, MissingUnknown, WhyUnknown } from './incident.ts'

/** "about 240 runs (180 to 300) did not come when they were due: 60 % fewer than expected in the 50 s from 12:00:00 on". */
export function missingSentence({ runs, low, high, cameLater, expected, seen, from, to }: MissingRuns): string {
  const seconds = Math.round((Date.parse(to) - Date.parse(from)) / 1_000)
  const later = cameLater === 0 ? '' : `, of which ${cameLater} came later`
  const time = `in the ${seconds} s from ${from.slice(11, 19)} on`
  return `about ${runs} runs (${low} to ${high}) did not come when they were due${later}: ${fewer({ expected, seen })} than expected ${time}`
}

/** "60 % fewer runs of GET /image than expected, and whether that is its doing cannot be told: few users explain it". */
export function unknownSentence({ flow, expected, seen, why }: MissingUnknown): string {
  return `${fewer({ expected, seen })} runs of ${flow} than expected, and whether that is its doing cannot be told: ${words[why]}`
}

const words: Readonly<Record<WhyUnknown, string>> = {
  'short-past': 'too little is known of the time before',
  'uneven-past': 'they came too unevenly before',
  'few-users': 'few users explain it',
  'unknown-users': 'whose they are is not known',
  sampled: 'only a part of the traces is kept since',
  'not-received': 'not all that was sent was received',
  'other-names': 'as many came under other names',
}

function fewer({ expected, seen }: { expected: number; seen: number }): string {
  return `${Math.round((1 - seen / Math.max(1, expected)) * 100)} % fewer`
}
