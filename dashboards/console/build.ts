// npm run build:console: the console's bundle, in dist/. With --if-needed only when a source is newer than the last build,
// so that `npm start` on a fresh clone builds it once, in a second or two.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vite'

const folder = import.meta.dirname
const built = join(folder, 'dist', 'index.html')

/** Everything that the bundle is made of; libraries change with the lock file. */
const inputs = ['src', 'public', 'index.html', 'vite.config.ts', 'package.json', '../../package-lock.json']

function isFresh(): boolean {
  if (!existsSync(built)) return false
  const builtMs = statSync(built).mtimeMs
  return inputs.every((input) => newestMs(join(folder, input)) <= builtMs)
}

function newestMs(path: string): number {
  const { mtimeMs } = statSync(path)
  if (!statSync(path).isDirectory()) return mtimeMs
  return Math.max(mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))))
}

if (!process.argv.includes('--if-needed') || !isFresh()) {
  const startedMs = performance.now()
  await build({ configFile: join(folder, 'vite.config.ts'), logLevel: 'warn' })
  process.stderr.write(`The console is built, in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s\n`)
}
