// npm run build: the published packages as JavaScript, each whole in a folder of dist/ of its own, ready for `npm publish`.
// Here everything runs from its sources; Node does not strip types below node_modules, so those who install need this.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

interface Manifest {
  name: string
  private?: boolean
  workspaces?: string[]
  exports?: Record<string, string>
  devDependencies?: Record<string, string>
}

const root = import.meta.dirname
const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest

/** Sources become `.js` with their types beside them. */
function published({ exports, ...manifest }: Manifest): object {
  const compiled = Object.entries(exports ?? {}).map(([path, source]) => [
    path,
    { types: source.replace(/\.ts$/, '.d.ts'), default: source.replace(/\.ts$/, '.js') },
  ])
  delete manifest.devDependencies
  return { ...manifest, ...(compiled.length === 0 ? {} : { exports: Object.fromEntries(compiled) }) }
}

/** Folders that only tests read. */
const forTests = new Set(
  ['collector/payloads', 'collector/otlp/reference', 'collector/faults'].map((path) => join(path)),
)

/** SQL, protocol definitions, programs and prose, which the compiler leaves behind. */
function filesBesideSources(folder: string, nested: string[]): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      const isOther = nested.includes(path) || entry.name === 'node_modules' || forTests.has(path)
      return isOther ? [] : filesBesideSources(path, nested)
    }
    return entry.name.endsWith('.ts') || entry.name === 'package.json' ? [] : [path]
  })
}

rmSync(join(root, 'dist'), { recursive: true, force: true })
const sourcesOut = join(root, 'dist', '.sources')
execFileSync('tsc', ['--project', 'tsconfig.build.json', '--outDir', sourcesOut], { cwd: root, stdio: 'inherit' })

const { workspaces = [] } = readManifest('.')
const packages = workspaces.filter((folder) => readManifest(folder).private !== true)
// A package within another moves out before the other moves.
for (const folder of packages.toSorted((a, b) => b.length - a.length)) {
  const manifest = readManifest(folder)
  const out = join(root, 'dist', manifest.name.replace(/^@headwater\//, ''))
  renameSync(join(sourcesOut, folder), out)
  for (const file of filesBesideSources(folder, packages)) {
    const target = join(out, file.slice(folder.length + 1))
    mkdirSync(dirname(target), { recursive: true })
    if (file.endsWith('.js')) {
      writeFileSync(
        target,
        readFileSync(join(root, file), 'utf8').replaceAll(/(import\('\.\/[^']+)\.ts'\)/g, "$1.js')"),
        {
          mode: 0o755,
        },
      )
    } else cpSync(join(root, file), target)
  }
  cpSync(join(root, 'LICENSE'), join(out, 'LICENSE'))
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(published(manifest), null, 2)}\n`)
  process.stdout.write(`${manifest.name} → ${out.slice(root.length + 1)}\n`)
}
rmSync(sourcesOut, { recursive: true, force: true })
