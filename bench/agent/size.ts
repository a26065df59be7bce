// What `npm install @headwater/agent` brings.

import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { judged, type Part, told } from '../plan.ts'
import type { AgentPlan } from './agent-plan.ts'

const goals = { megabytes: 3, packages: 5 }
/** Every OpenTelemetry tracing needs it, and services that make spans of their own have it already. */
const api = '@opentelemetry/api'

const run = promisify(execFile)

/** Installs the tarballs from nothing, and counts. */
export const size: Part<AgentPlan> = async ({ installation, progress }) => {
  const directory = join(installation.directory, 'size')
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'package.json'), '{ "private": true }')
  await run('npm', ['install', '--omit=dev', '--no-audit', '--no-fund', ...installation.tarballs], { cwd: directory })
  const modules = join(directory, 'node_modules')
  // npm's own account of what it has installed.
  const account = JSON.parse(await readFile(join(modules, '.package-lock.json'), 'utf8')) as {
    packages: Record<string, unknown>
  }
  const packages = Object.keys(account.packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 13))
  progress(packages.join(', '))
  if (!packages.includes('@headwater/agent')) throw new Error('Cannot measure: the agent is not installed')
  const bytesOf = async (name: string): Promise<number> => {
    const files = await readdir(join(modules, name), { recursive: true, withFileTypes: true })
    const sizes = files.map(async (file) => (file.isFile() ? (await stat(join(file.parentPath, file.name))).size : 0))
    return (await Promise.all(sizes)).reduce((sum, bytes) => sum + bytes, 0)
  }
  const MB = 1_000_000
  const all = await bytesOf('.')
  const ofApi = await bytesOf(api)
  return [
    judged('size', all / MB, 'MB, the API among them', { atMost: goals.megabytes }),
    judged('size_packages', packages.filter((name) => name !== api).length, `packages beside ${api}`, {
      atMost: goals.packages,
    }),
    told('size_without_api', (all - ofApi) / MB, 'MB'),
  ]
}
