// A whole receiver in a process of its own, with the engine behind it: the collector, or its rival.

import { readCollectorSettings, startCollector } from '@headwater/collector'
import { connectStore, type StoreUrls } from '@headwater/store'
import { answerParent } from '../child.ts'
import { startClientInserts } from './client-inserts.ts'
import { ownUsage } from '../usage.ts'

export type ReceiverKind = 'logged' | 'stored' | 'client_insert'

export interface ReceiverOptions {
  kind: ReceiverKind
  urls: StoreUrls
  logDirectory: string
  /** What the log may take, such as 1GB. */
  logMax?: string
}

interface Receiver {
  url: string
  idle(): Promise<void>
  stop(): Promise<void>
}

let receiver: Receiver | undefined

const answers = {
  async start({ kind, urls, logDirectory, logMax = '' }: ReceiverOptions): Promise<string> {
    const store = connectStore(urls)
    if (kind === 'client_insert') receiver = await startClientInserts(store)
    else {
      const settings = readCollectorSettings({
        HEADWATER_OTLP_PORT: '0',
        HEADWATER_ACK: kind,
        HEADWATER_LOG_MAX: logMax,
      })
      receiver = await startCollector({ store, logDirectory, settings })
    }
    return receiver.url
  },
  usage: ownUsage,
  memory: () => process.memoryUsage(),
  /** Resolves once ClickHouse has everything. */
  async idle(): Promise<void> {
    await receiver?.idle()
  },
}

export type ReceiverProgram = typeof answers

answerParent(answers, async () => {
  await receiver?.stop()
})
