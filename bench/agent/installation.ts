// The agent as those have it who install it: compiled, packed and unpacked, in a directory of its own.

import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export interface Installation {
  /** Where services find the agent, Express and OpenTelemetry in `node_modules`. */
  directory: string
  /** What `npm publish` would send: the agent, and ours that it depends on. */
  tarballs: string[]
  remove(): Promise<void>
}

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const published = ['agent', 'vocabulary']
/** From the workspace, so that every contestant has the same. */
const shared = ['@opentelemetry', 'express']

/** Builds the agent and installs it. What is installed goes when it is removed, or at the end of this process. */
export async function installAgent(): Promise<Installation> {
  const directory = await mkdtemp(join(tmpdir(), 'headwater-bench-agent-'))
  const removeAtExit = (): void => rmSync(directory, { recursive: true, force: true })
  process.once('exit', removeAtExit)
  async function remove(): Promise<void> {
    process.off('exit', removeAtExit)
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    await run('npm', ['run', 'build'], { cwd: root })
    const modules = join(directory, 'node_modules')
    await mkdir(modules)
    const tarballs: string[] = []
    for (const name of published) {
      const { stdout } = await run('npm', ['pack', join(root, 'dist', name), '--pack-destination', directory], {
        cwd: directory,
      })
      const tarball = join(directory, stdout.trim())
      const target = join(modules, '@headwater', name)
      await mkdir(target, { recursive: true })
      await run('tar', ['-xzf', tarball, '-C', target, '--strip-components=1'])
      tarballs.push(tarball)
    }
    for (const name of shared) await symlink(join(root, 'node_modules', name), join(modules, name))
    await copyFile(new URL('stock.js', import.meta.url), join(directory, stockFile))
    return { directory, tarballs, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

/** Starts stock OpenTelemetry, and is JavaScript: what stripping types costs is not its own. */
export const stockFile = 'stock.mjs'
