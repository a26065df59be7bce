// node examples/fleet/main.ts --otlp http://127.0.0.1:4318
// The fleet and its users alone, beside a Headwater (or any other collector) that runs already.

import { parseArgs } from 'node:util'
import { z } from 'zod'
import { commandsHelp, takeCommands } from './commands.ts'
import { startFleet } from './fleet.ts'
import { startLoad } from './load.ts'

const optionsForm = z.object({
  otlp: z.url({ error: 'use an address such as http://127.0.0.1:4318' }),
  seed: z.coerce.number().int({ error: 'use a whole number' }),
  rate: z.coerce.number().positive({ error: 'use requests per second, such as 12' }),
})

function readOptions(): z.infer<typeof optionsForm> {
  const { values } = parseArgs({
    options: {
      otlp: { type: 'string', default: 'http://127.0.0.1:4318' },
      seed: { type: 'string', default: '1' },
      rate: { type: 'string', default: '12' },
    },
  })
  const { data, error } = optionsForm.safeParse(values)
  if (data) return data
  const [issue] = error.issues
  throw new Error(`--${issue?.path.join('.')}: ${issue?.message}`)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

try {
  const { otlp, seed, rate } = readOptions()
  const fleet = await startFleet({ otlpUrl: otlp, seed, log: say })
  const load = startLoad({ gatewayUrl: fleet.gatewayUrl, seed, requestsPerSecond: rate })
  say(`The fleet serves ${fleet.gatewayUrl} and sends its spans to ${otlp}; ${rate} requests come in a second.`)
  say(commandsHelp)
  const endCommands = takeCommands(fleet, say)
  const told = setInterval(() => say(JSON.stringify(load.counts())), 10_000)

  const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
  process.once('SIGINT', () => ask()).once('SIGTERM', () => ask())
  await asked
  clearInterval(told)
  endCommands()
  await load.stop()
  await fleet.stop()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  if (error instanceof Error && error.cause instanceof Error) process.stderr.write(`${error.cause.message}\n`)
  process.exitCode = 1
}
