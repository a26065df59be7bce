// The API as a process of its own, so that its processor time is its own.
import { startApi } from '@headwater/api'
import { consoleDirectory } from '@headwater/console'
import { connectStore, type Store, type StoreUrls } from '@headwater/store'
import { answerParent } from '../child.ts'

let queries = 0
let stop = async (): Promise<void> => undefined

/** The same client; what is asked of it is counted. */
function counted(clickhouse: Store['clickhouse']): Store['clickhouse'] {
  return new Proxy(clickhouse, {
    get(target, name) {
      if (name === 'query') queries += 1
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value as (...asked: unknown[]) => unknown).bind(target) : value
    },
  })
}

const answers = {
  async start(urls: StoreUrls): Promise<string> {
    const store = connectStore(urls)
    const api = await startApi({
      store: { ...store, clickhouse: counted(store.clickhouse) },
      settings: { host: '127.0.0.1', port: 0 },
      metricsText: () => '',
      explainPast: () => Promise.reject(new Error('The past is not measured here')),
      consoleDirectory,
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
  /** Asked of ClickHouse until now. */
  queries(): number {
    return queries
  },
}

export type ApiAnswers = typeof answers

answerParent(answers, () => stop())
