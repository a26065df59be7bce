// The way of somebody on call, with nothing made up: a fault in a live fleet, the alert that it raises, its link, the incident, a run, the cause.
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { chromium, type Page, startBrowser, withoutChromium } from '@headwater/console/testing'
import { Webhook } from 'standardwebhooks'
import { describe, expect, test } from 'vitest'
import { startFleet } from './fleet.ts'
import { startHeadwater } from './headwater-process.ts'
import { startLoad } from './load.ts'
import { freePorts } from './ports.ts'

// Two minutes of a live fleet are too much where each change waits for them.
const isHurried = process.env['CI'] === 'true'
if (chromium === undefined || isHurried) {
  const why = isHurried ? 'In CI' : `${withoutChromium}, so`
  process.stderr.write(`${why} nobody follows an alert of a live fleet\n`)
}
/** Where pictures of what was seen are put, if anywhere. */
const pictures = process.env['HEADWATER_PICTURES'] || undefined

const secret = 'whsec_c2VjcmV0IG9mIHdob2V2ZXIgaXMgb24gY2FsbA=='
const patienceMs = 120_000

interface Message {
  type: string
  data: { incidents: { title: string; link: string; cause: { service: string } | null }[] }
}

/** Takes alerts as a receiver of Standard Webhooks does: what is not signed by the secret is refused. */
async function startReceiver(): Promise<{
  url: string
  message: Promise<Message>
  refused: () => number
  stop(): void
}> {
  const { promise, resolve } = Promise.withResolvers<Message>()
  let refused = 0
  const take = async (request: IncomingMessage): Promise<number> => {
    try {
      const message = new Webhook(secret).verify(
        await text(request),
        request.headers as Record<string, string>,
      ) as Message
      if (message.data.incidents.some(({ cause }) => cause !== null)) resolve(message)
      return 204
    } catch {
      refused += 1
      return 401
    }
  }
  const server = createServer((request, response) => {
    void (async () => response.writeHead(await take(request)).end())()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}/alerts`,
    message: promise,
    refused: () => refused,
    stop: () => server.close(),
  }
}

async function picture(page: Page, name: string): Promise<void> {
  if (pictures === undefined) return
  for (const [width, scheme] of [
    [1440, 'light'],
    [1440, 'dark'],
    [390, 'light'],
    [390, 'dark'],
  ] as const) {
    await page.setViewport({ width, height: width === 390 ? 844 : 900 })
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
    // Charts and maps are drawn anew.
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    await page.screenshot({ path: join(pictures, `${name}-${width}-${scheme}.png`) })
  }
  await page.setViewport({ width: 1440, height: 900 })
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }])
}

describe.skipIf(chromium === undefined || isHurried)('somebody who is woken', () => {
  test(
    'a fault, its alert, the link, the incident, a run that failed, and where it began',
    { timeout: 600_000 },
    async () => {
      await using cleanup = new AsyncDisposableStack()
      const receiver = await startReceiver()
      cleanup.defer(() => receiver.stop())
      const directory = await mkdtemp(join(tmpdir(), 'headwater-woken-'))
      cleanup.defer(() => rm(directory, { recursive: true, force: true }))
      const alerts = join(directory, 'alerts.yaml')
      const oncall = { type: 'webhook', url: receiver.url, secrets: [secret] }
      // JSON is YAML.
      await writeFile(alerts, JSON.stringify({ destinations: { oncall }, routes: [{ name: 'all', to: ['oncall'] }] }))
      const [port = 0] = await freePorts(1)
      const publicUrl = `http://127.0.0.1:${port}`
      const headwater = await startHeadwater({
        ports: 'any',
        settings: { HEADWATER_PORT: String(port), HEADWATER_PUBLIC_URL: publicUrl, HEADWATER_ALERTS: alerts },
      })
      cleanup.defer(() => headwater.stop())
      const fleet = await startFleet({ otlpUrl: headwater.otlpUrl, seed: 3 })
      cleanup.defer(() => fleet.stop())
      const load = startLoad({ gatewayUrl: fleet.gatewayUrl, seed: 3 })
      cleanup.defer(() => load.stop())
      await new Promise((resolve) => setTimeout(resolve, 60_000))
      await fleet.inject({ kind: 'errors', service: 'math' })

      const { data } = await receiver.message
      const told = data.incidents.find(({ cause }) => cause !== null)
      expect(told?.cause?.service).toBe('math')
      expect(told?.link.startsWith(`${publicUrl}/incidents/`)).toBe(true)
      expect(receiver.refused()).toBe(0)

      const browser = await startBrowser()
      cleanup.defer(() => browser.close())
      const page = await browser.newPage()
      page.setDefaultTimeout(patienceMs)
      await page.setViewport({ width: 1440, height: 900 })
      const wrong: string[] = []
      page.on('pageerror', (error) => wrong.push(String(error)))
      await page.goto(told?.link ?? '')
      const says = (words: string) =>
        page.waitForFunction(`document.querySelector('main')?.innerText.includes(${JSON.stringify(words)})`)
      await says('math')
      const path = await page.waitForFunction(
        `(() => { const steps = [...document.querySelectorAll('.path li strong')].map((each) => each.innerText); return steps.length > 1 && steps })()`,
      )
      expect(await path.jsonValue()).toEqual(['gateway', 'math'])
      await page.waitForSelector('[aria-labelledby=examples] a[data-row]')
      await picture(page, 'incident')

      await page.click('[aria-labelledby=examples] a[data-row]')
      await says('What failed first')
      await page.waitForSelector('.line.first-failure')
      expect(await page.$eval('.line.first-failure', (line) => line.textContent)).toContain('math')
      await picture(page, 'run')

      await page.click('.bar a[href="/"]')
      await page.waitForSelector('.react-flow__node .service.cause')
      await picture(page, 'now')
      expect(wrong).toEqual([])
    },
  )
})
