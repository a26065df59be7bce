// npm run build: the published packages as JavaScript, each whole in a folder of dist/ of its own, ready for `npm publish`.
// Here everything runs from its sources; Node does not strip types below node_modules, so those who install need this.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { rolldown } from 'rolldown'

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

/** Of these, what their own build made is published, and not their sources. */
const bundles = new Set([join('dashboards/console')])

/** What services load when they start: a file for each idea would cost them more than all that the agent does then. */
const loadedByServices = new Set(['vocabulary', 'agent'])

/** Puts the modules of a package together, in one file for each that is loaded by itself. Types stay where they were. */
async function bundle(out: string, { exports = {} }: Manifest): Promise<void> {
  const entries = Object.values(exports).map((source) => source.replace(/^\.\/(.*)\.ts$/, '$1'))
  await using modules = await rolldown({
    cwd: out,
    input: Object.fromEntries(entries.map((entry) => [entry, `./${entry}.js`])),
    external: /^(?!\.{0,2}\/)/,
    platform: 'node',
  })
  const { output } = await modules.generate({ format: 'esm', chunkFileNames: '[name].js' })
  for (const path of readdirSync(out, { recursive: true, encoding: 'utf8' })) {
    if (path.endsWith('.js')) rmSync(join(out, path))
  }
  for (const file of output) if (file.type === 'chunk') writeFileSync(join(out, file.fileName), file.code)
  for (const path of readdirSync(out, { recursive: true, encoding: 'utf8' })) {
    const isEmpty = statSync(join(out, path)).isDirectory() && readdirSync(join(out, path)).length === 0
    if (isEmpty) rmSync(join(out, path), { recursive: true })
  }
}

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
execFileSync(process.execPath, ['dashboards/console/build.ts'], { cwd: root, stdio: 'inherit' })
execFileSync('tsc', ['--project', 'tsconfig.build.json', '--outDir', sourcesOut], { cwd: root, stdio: 'inherit' })

const { workspaces = [] } = readManifest('.')
const packages = workspaces.filter((folder) => readManifest(folder).private !== true)
// A package within another moves out before the other moves.
for (const folder of packages.toSorted((a, b) => b.length - a.length)) {
  const manifest = readManifest(folder)
  const out = join(root, 'dist', manifest.name.replace(/^@headwater\//, ''))
  renameSync(join(sourcesOut, folder), out)
  if (bundles.has(folder)) cpSync(join(root, folder, 'dist'), join(out, 'dist'), { recursive: true })
  for (const file of bundles.has(folder) ? [] : filesBesideSources(folder, packages)) {
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
  if (loadedByServices.has(folder)) await bundle(out, manifest)
  cpSync(join(root, 'LICENSE'), join(out, 'LICENSE'))
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(published(manifest), null, 2)}\n`)
  process.stdout.write(`${manifest.name} → ${out.slice(root.length + 1)}\n`)
}
rmSync(sourcesOut, { recursive: true, force: true })
