// Turns CSV and YAML into JSON and JSON into YAML, by the schemas of schemas.internal.

import { parse as parseCsv } from 'csv-parse/sync'
import { parseDocument, stringify } from 'yaml'
import { z } from 'zod'
import { serveHono } from './hono-service.ts'
import { perform } from './perform.ts'
import { InputRefused } from './problems.ts'

const textForm = z.object({ text: z.string().min(1).max(200_000) })
const valueForm = z.object({ value: z.json() })
const schemaForm = z.object({ delimiter: z.string(), aliasesMax: z.number() })

/** Users' tables come with missing fields now and then; that is theirs to mend, and no error of ours. */
function refuseRaggedTable(text: string): void {
  const [header = '', ...rows] = text.trim().split('\n')
  const fields = header.split(',').length
  const ragged = rows.findIndex((row) => row.split(',').length !== fields)
  if (ragged !== -1)
    throw new InputRefused(`text: line ${ragged + 2} does not have ${fields} fields; add what is missing`)
}

function rowsOf(text: string, delimiter: string, inOrder: boolean): Record<string, string>[] {
  return parseCsv(text, { columns: inOrder ? true : ['sku'], delimiter, trim: true })
}

function readYaml(text: string) {
  const document = parseDocument(text)
  const [problem] = document.errors
  if (problem) throw new InputRefused(`text: ${problem.message}`, { cause: problem })
  return document
}

function revisionOf(value: unknown, inOrder: boolean): string {
  return JSON.stringify({ value, revision: inOrder ? 1 : 1n })
}

await serveHono((app) => {
  app.post('/csv-to-json', async (c) => {
    const { text } = textForm.parse(await c.req.json())
    refuseRaggedTable(text)
    const rows = await perform('POST /csv-to-json', schemaForm, ({ delimiter }, inOrder) =>
      rowsOf(text, delimiter, inOrder),
    )
    return c.json({ rows })
  })
  app.post('/yaml-to-json', async (c) => {
    const { text } = textForm.parse(await c.req.json())
    const document = readYaml(text)
    const value = await perform('POST /yaml-to-json', schemaForm, ({ aliasesMax }, inOrder): unknown =>
      document.toJS({ maxAliasCount: inOrder ? aliasesMax : 0 }),
    )
    return c.json({ text: JSON.stringify(value) })
  })
  app.post('/json-to-yaml', async (c) => {
    const { value } = valueForm.parse(await c.req.json())
    const text = await perform('POST /json-to-yaml', schemaForm, (_, inOrder) => {
      const revision = revisionOf(value, inOrder)
      return `# ${revision.length} characters as JSON\n${stringify(value)}`
    })
    return c.json({ text })
  })
})
