// A responder in a process of its own, to be killed. Its arguments: the engines, and its settings, as JSON.
import { connectStore } from '@headwater/store'
import { createResponder } from './responder.ts'
import { testConfiguration } from './test-incidents.ts'

const { clickhouseUrl, databaseUrl, file } = JSON.parse(process.argv[2] ?? '{}') as {
  clickhouseUrl: string
  databaseUrl: string
  file: unknown
}
const store = connectStore({ clickhouseUrl, databaseUrl })
const responder = createResponder({
  store,
  settings: { configuration: testConfiguration(file), publicUrl: 'http://localhost:8012' },
})
process.stdout.write('started\n')
for (;;) {
  // The lease of the one that was killed has to expire; the test takes it away.
  await responder.round().catch((error: unknown) => process.stderr.write(`${String(error)}\n`))
  await new Promise((resolve) => setTimeout(resolve, 10))
}
