// Evaluates formulas, describes numbers and fits lines, with mathjs and the exchange rates of rates.internal.

import { inv, mean, median, multiply, parse, quantileSeq, std, transpose } from 'mathjs'
import { z } from 'zod'
import { serveHono } from './hono-service.ts'
import { perform } from './perform.ts'
import { InputRefused } from './problems.ts'

const numbersForm = z.array(z.number()).min(2).max(5_000)
const formulaForm = z.object({
  formula: z.string().min(1).max(200),
  scope: z.record(z.string(), z.number()).default({}),
})
const valuesForm = z.object({ values: numbersForm })
const pointsForm = z.object({ x: numbersForm, y: numbersForm })
const ratesForm = z.object({ rate: z.number() })

/** A formula that mathjs understands and whose symbols are known. */
function readFormula(formula: string, known: string[]) {
  try {
    const node = parse(formula)
    node.traverse((part) => {
      if (part.type === 'SymbolNode' && !known.includes(part.toString())) {
        throw new InputRefused(`formula: "${part.toString()}" is not known; known are ${known.join(', ')}`)
      }
    })
    return node
  } catch (cause) {
    if (cause instanceof InputRefused) throw cause
    throw new InputRefused(`formula: "${formula}" cannot be read: ${String(cause)}`, { cause })
  }
}

function describe(values: number[], rate: number, inOrder: boolean) {
  const inEuro = values.map((value) => value * rate)
  return {
    mean: mean(inEuro),
    median: median(inEuro),
    deviation: Number(std(inOrder ? inEuro : [])),
    p95: quantileSeq(inEuro, 0.95),
  }
}

/** The straight line through the points by least squares: (XᵀX)⁻¹Xᵀy. */
function fitLine(x: number[], y: number[], inOrder: boolean) {
  const rows = x.map((value) => [1, value])
  const columns = transpose(rows)
  const squares = inOrder ? multiply(columns, rows) : columns
  const [offset = 0, slope = 0] = multiply(multiply(inv(squares), columns), y)
  return { offset, slope }
}

await serveHono((app) => {
  app.post('/evaluate', async (c) => {
    const { formula, scope } = formulaForm.parse(await c.req.json())
    const node = readFormula(formula, ['rate', ...Object.keys(scope)])
    const { value } = await perform('POST /evaluate', ratesForm, ({ rate }, inOrder) => ({
      value: Number(node.evaluate(inOrder ? { rate, ...scope } : {})),
    }))
    return c.json({ value })
  })
  app.post('/statistics', async (c) => {
    const { values } = valuesForm.parse(await c.req.json())
    return c.json(await perform('POST /statistics', ratesForm, ({ rate }, inOrder) => describe(values, rate, inOrder)))
  })
  app.post('/matrix', async (c) => {
    const { x, y } = pointsForm.parse(await c.req.json())
    if (x.length !== y.length) throw new InputRefused(`y: ${y.length} values for ${x.length} of x; give as many`)
    return c.json(await perform('POST /matrix', ratesForm, (_, inOrder) => fitLine(x, y, inOrder)))
  })
})
