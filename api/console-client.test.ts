// The console's types of the API are generated, and stay those of the API. After a change of a route:
// `npx vitest run api/console-client.test.ts -u`.
import { connectStore } from '@headwater/store'
import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript'
import { expect, onTestFinished, test } from 'vitest'
import { createApi } from './app.ts'

test('the types of the console are those of the API', async () => {
  // Nobody is asked: the document is of the routes alone.
  const store = connectStore({ clickhouseUrl: 'http://u:p@127.0.0.1:9/d', databaseUrl: 'postgres://u:p@127.0.0.1:9/d' })
  onTestFinished(() => store.close())
  const api = createApi({
    store,
    settings: { host: '127.0.0.1' },
    metricsText: () => '',
    explainPast: () => Promise.reject(new Error('Nobody asks here')),
  })
  const document = (await (await api.request('/openapi.json')).json()) as OpenAPI3
  const types = astToString(await openapiTS(document))
  const opening = '// Generated from the API by api/console-client.test.ts; see there.\n'
  await expect(opening + types).toMatchFileSnapshot('../dashboards/console/src/api/schema.d.ts')
})
