// What a span costs on the whole way: processor time of the receiver and of the engine behind it.

import type { Child } from '../child.ts'
import type { Engine } from './engine.ts'
import type { ReceiverProgram } from './receiver-program.ts'
import type { SenderProgram } from './sender-program.ts'
import { usedBetween } from '../usage.ts'

/** Microseconds per span. */
export interface Cost {
  receiverUs: number
  engineUs: number
}

/** Enough for a block of ten thousand rows to fill while others are on their way. */
const lanes = 40

/** Sends the bodies that the sender has made, and waits until their rows are stored and merged as far as they are by themselves. */
export async function costOf(options: {
  engine: Engine
  receiver: Child<ReceiverProgram>
  sender: Child<SenderProgram>
  url: string
  spans: number
}): Promise<Cost> {
  const { engine, receiver, sender, url, spans } = options
  const before = await receiver.ask('usage', undefined)
  const [storedBefore = 0] = await engine.numbers('SELECT count() FROM otel_traces')
  const engineBefore = engine.cpuUs()
  const sent = await sender.ask('send', { url, times: 1, lanes })
  await receiver.ask('idle', undefined)
  const used = usedBetween(before, await receiver.ask('usage', undefined))
  await engine.quiet()
  const engineUs = engine.cpuUs() - engineBefore
  const [storedAfter = 0] = await engine.numbers('SELECT count() FROM otel_traces')
  if (sent.spansTaken !== spans || storedAfter - storedBefore !== spans) {
    throw new Error(
      `Cannot measure: of ${spans} spans ${storedAfter - storedBefore} were stored: ${JSON.stringify(sent)}`,
    )
  }
  return { receiverUs: used.cpuUs / spans, engineUs: engineUs / spans }
}

/** What merging all to one part takes beyond. */
export async function mergeUsOf(engine: Engine, spans: number): Promise<number> {
  const before = engine.cpuUs()
  for (const table of ['otel_traces', 'otel_traces_trace_id_ts']) await engine.run(`OPTIMIZE TABLE ${table} FINAL`)
  await engine.quiet()
  return (engine.cpuUs() - before) / spans
}
