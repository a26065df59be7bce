// The API as a process of its own, so that its processor time is its own.
import { startApi } from '@headwater/api'
import { connectStore, type StoreUrls } from '@headwater/store'
import { answerParent } from '../child.ts'

let stop = async (): Promise<void> => undefined

const answers = {
  async start(urls: StoreUrls): Promise<string> {
    const store = connectStore(urls)
    const api = await startApi({
      store,
      settings: { host: '127.0.0.1', port: 0 },
      metricsText: () => '',
      explainPast: () => Promise.reject(new Error('The past is not measured here')),
    })
    stop = async () => {
      await api.stop()
      await store.close()
    }
    return api.url
  },
  cpuUs(): number {
    const { user, system } = process.cpuUsage()
    return user + system
  },
}

export type ApiAnswers = typeof answers

answerParent(answers, () => stop())
