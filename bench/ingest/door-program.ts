// A door in a process of its own.

import type { Server } from 'node:http'
import { answerParent } from '../child.ts'
import { createDoor, type DoorKind, listen } from './door.ts'
import { ownUsage } from '../usage.ts'

let server: Server | undefined

const answers = {
  async open(kind: DoorKind): Promise<string> {
    const door = await createDoor(kind)
    const listening = await listen(door.fetch)
    server = listening.server
    return listening.url
  },
  usage: ownUsage,
}

export type DoorProgram = typeof answers

answerParent(answers, async () => {
  server?.close()
  server?.closeAllConnections()
})
