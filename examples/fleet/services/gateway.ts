// Where the users come in. Each route is a flow over several services.

// oxlint-disable oxc/no-async-endpoint-handlers -- Express 5 gives what they reject with to its error handler.

import { randomUUID } from 'node:crypto'
import { setUser } from '@headwater/agent'
import { z } from 'zod'
import { call } from './call.ts'
import { serveExpress } from './express-service.ts'
import { perform } from './perform.ts'
import { InputRefused } from './problems.ts'
import { publish } from './queue.ts'

const reportForm = z.object({ title: z.string().min(1).max(200), csv: z.string().min(1), column: z.string().min(1) })
const convertForm = z.object({ from: z.enum(['csv', 'yaml']), text: z.string().min(1) })
const calculateForm = z.object({ formula: z.string().min(1), scope: z.record(z.string(), z.number()).default({}) })
const signForm = z.object({ text: z.string().min(1).max(10_000) })
const forecastForm = z.object({ yaml: z.string().min(1), until: z.number() })
const seriesForm = z.object({ x: z.array(z.number()), y: z.array(z.number()) })
const sessionForm = z.object({ locale: z.string() })

const rowsForm = z.object({ rows: z.array(z.record(z.string(), z.string())) })
const textForm = z.object({ text: z.string() })
const statisticsForm = z.object({ mean: z.number(), median: z.number(), deviation: z.number(), p95: z.number() })
const valueForm = z.object({ value: z.number() })
const lineForm = z.object({ offset: z.number(), slope: z.number() })
const documentForm = z.object({ document: z.string(), fingerprint: z.string() })
const invoiceForm = documentForm.extend({ total: z.number() })
const signatureForm = z.object({ signature: z.string() })
const hashForm = z.object({ hash: z.string() })
const sealedForm = z.object({ sealed: z.string() })
const filedForm = z.object({ state: z.string() })

/** Opens a user's session: how numbers are written for them. */
type Session = z.infer<typeof sessionForm>
const numbersFor = ({ locale }: Session, inOrder: boolean) =>
  new Intl.NumberFormat(inOrder ? locale : `${locale.replace('-', '_')}.UTF-8`)

await serveExpress((app) => {
  app.use((request, _response, next) => {
    const user = request.header('x-user-id')
    if (user !== undefined) setUser(user)
    next()
  })

  app.post('/report', async (request, response) => {
    const { title, csv, column } = reportForm.parse(request.body)
    const numbers = await perform('POST /report', sessionForm, numbersFor)
    const { rows } = await call('data-transform', '/csv-to-json', rowsForm, { text: csv })
    const values = rows.map((row) => Number(row[column]))
    if (values.some(Number.isNaN)) throw new InputRefused(`column: "${column}" does not hold numbers in every row`)
    const statistics = await call('math', '/statistics', statisticsForm, { values })
    const lines = Object.entries(statistics).map(([name, value]) => `${name}: ${numbers.format(value)}`)
    const { fingerprint } = await call('pdf', '/render', documentForm, { title, lines })
    const { signature } = await call('crypto', '/sign', signatureForm, { text: fingerprint })
    const id = randomUUID()
    await publish('reports', { id, fingerprint, signature })
    response.status(202).json({ id, signature })
  })

  app.post('/convert', async (request, response) => {
    const { from, text } = convertForm.parse(request.body)
    await perform('POST /convert', sessionForm, numbersFor)
    const converted =
      from === 'csv'
        ? JSON.stringify((await call('data-transform', '/csv-to-json', rowsForm, { text })).rows)
        : (await call('data-transform', '/yaml-to-json', textForm, { text })).text
    const { hash } = await call('crypto', '/hash', hashForm, { text: converted })
    response.json({ text: converted, hash })
  })

  app.post('/calculate', async (request, response) => {
    const { formula, scope } = calculateForm.parse(request.body)
    const numbers = await perform('POST /calculate', sessionForm, numbersFor)
    const { value } = await call('math', '/evaluate', valueForm, { formula, scope })
    const sheet = { formula, scope, value, shown: numbers.format(value) }
    const { text } = await call('data-transform', '/json-to-yaml', textForm, { value: sheet })
    response.json({ value, sheet: text })
  })

  app.post('/sign', async (request, response) => {
    const { text } = signForm.parse(request.body)
    await perform('POST /sign', sessionForm, numbersFor)
    const { hash } = await call('crypto', '/hash', hashForm, { text })
    const { signature } = await call('crypto', '/sign', signatureForm, { text: hash })
    const id = randomUUID()
    await publish('receipts', { id, signature, user: request.header('x-user-id') ?? 'nobody' })
    response.json({ id, signature })
  })

  app.post('/forecast', async (request, response) => {
    const { yaml, until } = forecastForm.parse(request.body)
    const numbers = await perform('POST /forecast', sessionForm, numbersFor)
    const { text } = await call('data-transform', '/yaml-to-json', textForm, { text: yaml })
    const series = seriesForm.parse(JSON.parse(text))
    const { offset, slope } = await call('math', '/matrix', lineForm, series)
    response.json({ forecast: numbers.format(offset + slope * until) })
  })

  app.get('/invoice/:id', async (request, response) => {
    const number = request.params.id
    await perform('GET /invoice/:id', sessionForm, numbersFor)
    const items = Array.from(number, (digit, index) => ({
      name: `Item ${index + 1}`,
      price: 10 + (Number(digit) || 0),
    }))
    const { total, fingerprint } = await call('pdf', '/invoice', invoiceForm, { number, items })
    const { sealed } = await call('crypto', '/encrypt', sealedForm, { text: `${number}:${fingerprint}` })
    response.json({ total, sealed })
  })

  app.get('/report/:id', async (request, response) => {
    await perform('GET /report/:id', sessionForm, numbersFor)
    const { state } = await call('worker', `/reports/${encodeURIComponent(request.params.id)}`, filedForm)
    response.json({ state })
  })
})
