// Who may know whom. The table is the architecture; manifests and imports have to agree with it.
import { readFileSync, readdirSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative, sep } from 'node:path'
import { expect, test } from 'vitest'

const root = import.meta.dirname

/** Each package with those of ours that it may know. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  '@headwater/vocabulary': [],
  '@headwater/store': ['@headwater/vocabulary'],
  '@headwater/embedded': [],
  '@headwater/agent': ['@headwater/vocabulary'],
  '@headwater/node-22': [],
  '@headwater/node-24': [],
  '@headwater/collector': ['@headwater/store', '@headwater/vocabulary'],
  '@headwater/analyzer': ['@headwater/store', '@headwater/vocabulary'],
  '@headwater/responder': ['@headwater/store', '@headwater/vocabulary'],
  '@headwater/api': ['@headwater/store', '@headwater/vocabulary'],
  // Files for browsers; all that others know of it is where they are.
  '@headwater/console': [],
  // Files for Grafana; its tests run the queries on the store's schema.
  '@headwater/grafana': ['@headwater/store'],
  headwater: [
    '@headwater/collector',
    '@headwater/analyzer',
    '@headwater/responder',
    '@headwater/api',
    '@headwater/console',
    '@headwater/store',
    '@headwater/vocabulary',
    '@headwater/embedded',
  ],
  '@headwater/fleet': ['@headwater/agent'],
  '@headwater/bench': [
    '@headwater/agent',
    '@headwater/analyzer',
    '@headwater/api',
    '@headwater/collector',
    '@headwater/console',
    '@headwater/store',
    '@headwater/embedded',
    '@headwater/fleet',
  ],
}

/** What tests may know in addition: a real ClickHouse and a real PostgreSQL, and the console, which asks the API. */
const forTests = new Set(['@headwater/embedded', '@headwater/console'])

interface Manifest {
  name: string
  workspaces?: string[]
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

interface Package {
  name: string
  folder: string
  /** Declared for everybody who installs it. */
  needs: string[]
  /** Declared for its own tests. */
  needsForTests: string[]
}

function readPackage(folder: string): Package {
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest
  return {
    name: manifest.name,
    folder,
    needs: Object.keys({
      ...manifest.dependencies,
      ...manifest.optionalDependencies,
      ...manifest.peerDependencies,
    }),
    needsForTests: Object.keys({ ...manifest.devDependencies }),
  }
}

const { workspaces = [] } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
const workspace = readPackage('.')
const packages = workspaces.map((folder) => readPackage(folder))
const names = new Set(packages.map(({ name }) => name))

/** Folders that git does not keep. */
const ignored = new Set(
  readFileSync(join(root, '.gitignore'), 'utf8')
    .split('\n')
    .flatMap((line) => (line.endsWith('/') ? line.slice(0, -1) : [])),
)

interface Import {
  file: string
  line: number
  specifier: string
  isOfTest: boolean
}

const importForms = [
  /^\s*(?:import|export)\s[^'"`;()]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  /^\s*import\s*['"]([^'"]+)['"]/gm,
  /\b(?:import|require|import\.meta\.resolve)\(\s*['"]([^'"\s]+)['"]\s*\)/g,
]

/** Test support stands beside the tests and is imported by nothing else. */
function isOfTest(file: string): boolean {
  if (file.startsWith('store/embedded/testing')) return false
  // What is bundled is needed until it is; those who install the console get its bundle.
  if (/^dashboards\/console\/(src\/|build\.ts$|vite\.config\.ts$)/.test(file)) return true
  return /(\.test\.ts|\/testing\.ts|\/test-[\w-]+\.ts|\/reference\/[\w-]+\.ts|\/fuzz\.ts)$/.test(file)
}

function sourcesIn(folder: string): string[] {
  const nested = new Set(packages.map((each) => each.folder).filter((each) => each !== folder))
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (ignored.has(entry.name) || entry.name.startsWith('.') || nested.has(path)) return []
      return folder === '.' ? [] : sourcesIn(path)
    }
    return /\.(tsx?|js)$/.test(entry.name) ? [path] : []
  })
}

function importsOf(folder: string): Import[] {
  return sourcesIn(folder).flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8').replaceAll(/^\s*(?:\/?\*|\/\/).*$/gm, '')
    return importForms.flatMap((form) =>
      [...text.matchAll(form)].map((match) => ({
        file,
        line: text.slice(0, match.index + match[0].length).split('\n').length,
        specifier: match[1] ?? '',
        isOfTest: isOfTest(file) || folder === '.',
      })),
    )
  })
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier)
}

function packageNameOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

const show = ({ file, line, specifier }: Import): string => `${file}:${line} imports ${specifier}`

test('every package has its row in the table of arrows', () => {
  expect([...names].toSorted()).toEqual(Object.keys(arrows).toSorted())
})

test.each(packages)('$name declares only packages of ours that it may know', ({ name, needs, needsForTests }) => {
  const allowed = arrows[name] ?? []
  const ours = (declared: string[]): string[] => declared.filter((each) => names.has(each))
  expect(ours(needs).filter((each) => !allowed.includes(each))).toEqual([])
  expect(ours(needsForTests).filter((each) => !allowed.includes(each) && !forTests.has(each))).toEqual([])
})

test.each([workspace, ...packages])(
  '$name declares what its sources import',
  ({ name, folder, needs, needsForTests }) => {
    const undeclared = importsOf(folder).filter(({ specifier, isOfTest: ofTest }) => {
      if (specifier.startsWith('.') || isBuiltin(specifier)) return false
      const imported = packageNameOf(specifier)
      if (imported === name || needs.includes(imported)) return false
      return !(ofTest && (needsForTests.includes(imported) || workspace.needsForTests.includes(imported)))
    })
    expect(undeclared.map(show)).toEqual([])
  },
)

test.each(packages)('$name reaches other packages by their names only', ({ folder }) => {
  const strays = importsOf(folder).filter(({ file, specifier }) => {
    if (!specifier.startsWith('.')) return false
    const target = relative(root, join(root, dirname(file), specifier))
    const home = packages
      .filter((each) => target.startsWith(each.folder + sep))
      .toSorted((a, b) => b.folder.length - a.folder.length)[0]
    return home?.folder !== folder
  })
  expect(strays.map(show)).toEqual([])
})

test('the vocabulary has no dependencies, and the agent has those of OpenTelemetry only', () => {
  const needsOf = (name: string): string[] => packages.find((each) => each.name === name)?.needs ?? ['?']
  expect(needsOf('@headwater/vocabulary')).toEqual([])
  expect(needsOf('@headwater/agent').filter((each) => !names.has(each) && !each.startsWith('@opentelemetry/'))).toEqual(
    [],
  )
})

test("the map in ARCHITECTURE.md names the tree's folders, and no others", () => {
  const map = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')
  const named = [...map.matchAll(/^- `([\w-]+)\/`/gm)].map(([, name = '']) => name)
  const there = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !ignored.has(entry.name))
    .map(({ name }) => name)
  expect(named.toSorted()).toEqual(there.toSorted())
})
