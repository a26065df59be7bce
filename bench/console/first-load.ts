import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { consoleDirectory } from '@headwater/console'
import type { Row } from '../bench.ts'

const goalKb = 250

/** All that a browser fetches before the map is there, compressed as the API sends it; the layout's worker apart. */
export async function firstLoad(): Promise<Row[]> {
  execFileSync(process.execPath, [join(consoleDirectory, '..', 'build.ts'), '--if-needed'], { stdio: 'inherit' })
  const index = readFileSync(join(consoleDirectory, 'index.html'), 'utf8')
  const names = readdirSync(join(consoleDirectory, 'assets'))
  const wanted = new Set([...index.matchAll(/\/assets\/([^"]+)"/g)].map(([, name = '']) => name))
  for (const name of names) if (/^(now|inter-)/.test(name)) wanted.add(name)
  for (const name of wanted) {
    if (!name.endsWith('.js')) continue
    const text = readFileSync(join(consoleDirectory, 'assets', name), 'utf8')
    for (const [, imported = ''] of text.matchAll(/(?:from|import)\s*["'`]\.\/([^"'`]+\.js)["'`]/g))
      wanted.add(imported)
  }
  const sizes = [...wanted].map((name) => sizeOf(join(consoleDirectory, 'assets', name)))
  const kb = (sizes.reduce((sum, size) => sum + size, 0) + sizeOf(join(consoleDirectory, 'index.html'))) / 1_000
  const worker = names.find(
    (name) => name.startsWith('elk-worker') && sizeOf(join(consoleDirectory, 'assets', name)) > 1_000,
  )
  return [
    { id: 'first_load', value: Math.round(kb), unit: 'kB gzip', goal: `≤ ${goalKb}`, met: kb <= goalKb },
    {
      id: 'layout_worker',
      value: worker === undefined ? 0 : Math.round(sizeOf(join(consoleDirectory, 'assets', worker)) / 1_000),
      unit: 'kB gzip, when a map is first drawn',
    },
  ]
}

/** A file as it is sent: fonts are compressed already. */
function sizeOf(path: string): number {
  const bytes = readFileSync(path)
  return path.endsWith('.woff2') ? bytes.length : gzipSync(bytes).length
}
