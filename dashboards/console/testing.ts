// A browser that walks the console, for tests and measurements. There is none in our packages: it is Debian's, or another.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import puppeteer, { type Browser } from 'puppeteer-core'

export type { Browser, CDPSession, Page } from 'puppeteer-core'

/** Where Chromium is; undefined on a machine without one. */
export const chromium: string | undefined =
  process.env['CHROMIUM'] ||
  ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path))

/** What to tell where nobody can look. */
export const withoutChromium = 'No Chromium is here (install it, or set CHROMIUM to its path)'

/** Builds the console, unless it is built, and starts Chromium; `protocolTimeout` is how long it may take for an answer. */
export async function startBrowser(options: { protocolTimeout?: number } = {}): Promise<Browser> {
  if (chromium === undefined) throw new Error(withoutChromium)
  execFileSync(process.execPath, [join(import.meta.dirname, 'build.ts'), '--if-needed'], { stdio: 'pipe' })
  return await puppeteer.launch({
    executablePath: chromium,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--no-first-run'],
    timeout: 60_000,
    ...options,
  })
}
