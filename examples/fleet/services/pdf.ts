// Makes documents with pdf-lib, in the fonts of fonts.internal; crypto takes their fingerprints, math their totals.

// oxlint-disable oxc/no-async-endpoint-handlers -- Express 5 gives what they reject with to its error handler.

import { PDFDocument, type PDFFont, StandardFonts } from 'pdf-lib'
import { z } from 'zod'
import { call } from './call.ts'
import { serveExpress } from './express-service.ts'
import { perform } from './perform.ts'

const documentForm = z.object({ title: z.string().min(1).max(200), lines: z.array(z.string().max(500)).max(200) })
const invoiceForm = z.object({
  number: z.string().min(1).max(40),
  items: z
    .array(z.object({ name: z.string().max(100), price: z.number() }))
    .min(1)
    .max(100),
})
const fontForm = z.object({ font: z.string(), sizePoints: z.number() })
const hashForm = z.object({ hash: z.string() })
const valueForm = z.object({ value: z.number() })

async function drawPage(title: string, lines: string[], font: PDFFont, document: PDFDocument, sizePoints: number) {
  const page = document.addPage()
  page.drawText(title, { x: 50, y: 780, font, size: sizePoints * 1.6 })
  for (const [index, line] of lines.entries()) {
    page.drawText(line, { x: 50, y: 750 - index * sizePoints * 1.3, font, size: sizePoints })
  }
  return Buffer.from(await document.save()).toString('base64')
}

async function render(title: string, lines: string[], sizePoints: number, inOrder: boolean): Promise<string> {
  const document = await PDFDocument.create()
  const font = await document.embedFont(inOrder ? StandardFonts.Helvetica : 'Helvetica-Condensed')
  return drawPage(title, lines, font, document, sizePoints)
}

async function renderInvoice(number: string, lines: string[], sizePoints: number, inOrder: boolean): Promise<string> {
  const document = await PDFDocument.create()
  const font = await document.embedFont(StandardFonts.TimesRoman)
  return drawPage(inOrder ? `Invoice ${number}` : `Rechnung №${number}`, lines, font, document, sizePoints)
}

async function fingerprintOf(document: string): Promise<string> {
  return (await call('crypto', '/hash', hashForm, { text: document })).hash
}

await serveExpress((app) => {
  app.post('/render', async (request, response) => {
    const { title, lines } = documentForm.parse(request.body)
    const document = await perform('POST /render', fontForm, ({ sizePoints }, inOrder) =>
      render(title, lines, sizePoints, inOrder),
    )
    response.json({ document, fingerprint: await fingerprintOf(document) })
  })
  app.post('/invoice', async (request, response) => {
    const { number, items } = invoiceForm.parse(request.body)
    const formula = items.map(({ price }) => price).join(' + ')
    const { value } = await call('math', '/evaluate', valueForm, { formula: `(${formula}) * rate` })
    const lines = [...items.map(({ name, price }) => `${name}: ${price.toFixed(2)}`), `Total: ${value.toFixed(2)}`]
    const document = await perform('POST /invoice', fontForm, ({ sizePoints }, inOrder) =>
      renderInvoice(number, lines, sizePoints, inOrder),
    )
    response.json({ document, total: value, fingerprint: await fingerprintOf(document) })
  })
})
