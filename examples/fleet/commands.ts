import { createInterface } from 'node:readline'
import { faultKinds, parseFault } from './fault.ts'
import type { Fleet } from './fleet.ts'

export const commandsHelp = `Commands: KIND:SERVICE or KIND:SERVICE:OPERATION breaks (${faultKinds.join(', ')}), clear mends, services lists.`

/** Takes faults from the keyboard, one a line, until the input ends. */
export function takeCommands(fleet: Fleet, say: (line: string) => void): () => void {
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (line) => {
    obey(fleet, line.trim(), say).catch((error: unknown) => say(error instanceof Error ? error.message : String(error)))
  })
  return () => lines.close()
}

async function obey(fleet: Fleet, line: string, say: (line: string) => void): Promise<void> {
  if (line === '') return
  if (line === 'clear') {
    await fleet.clear()
    say('mended')
  } else if (line === 'services') {
    for (const { name, operations } of fleet.services) say(`${name.padEnd(16)} ${operations.join(', ')}`)
  } else if (line.includes(':')) {
    const { kind, service, operation } = await fleet.inject(parseFault(line))
    say(`${kind} in ${service}, ${operation}`)
  } else {
    say(`"${line}" is no command. ${commandsHelp}`)
  }
}
