import { basename, isAbsolute } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { nodeOptions } from '@headwater/collector/node-options'

/** Commands that run a collector. */
const commands = new Set(['up', 'collector'])
/** Older ones end the process when they cannot replace it. */
const nodeMajorMin = 26

/**
 * Puts the same program in this process's place, with options of Node's that it reads at the start only; process ID, files,
 * environment and signals stay. Where that cannot be done, or something speaks against it, the program goes on as it is.
 */
export function startAnew(): void {
  const { argv, execArgv, execPath, env } = process
  if (!commands.has(argv[2] ?? '') || !mayBeReplaced()) return
  try {
    process.execve?.(execPath, [execPath, ...nodeOptions, ...execArgv, ...argv.slice(1)], env)
  } catch {
    // It runs as well without, a little slower.
  }
}

function mayBeReplaced(): boolean {
  const { execArgv, execPath, env, platform, channel, versions } = process
  const given = [...execArgv, env['NODE_OPTIONS'] ?? ''].join(' ').replaceAll('_', '-')
  const isSet = nodeOptions.some((option) => given.includes(option.split('=')[0] ?? option))
  // A channel to the parent and a debugger would not survive it, and permissions may not allow it.
  const isHeld = !isMainThread || channel !== undefined || /--(inspect|permission)/.test(given)
  const isNode = isAbsolute(execPath) && basename(execPath).startsWith('node') && versions['bun'] === undefined
  const isRecent = Number(versions.node.split('.')[0]) >= nodeMajorMin
  return platform !== 'win32' && isNode && isRecent && !isSet && !isHeld
}
