import { nodeOptions } from '@headwater/collector/node-options'

/** Commands that run a collector. */
const commands = new Set(['up', 'collector'])

/**
 * Puts the same program in this process's place, with options of Node's that it reads at the start only; process ID, files,
 * environment and signals stay. Does nothing where one of them is set already, or where a process cannot be replaced.
 */
export function startAnew(): void {
  const { argv, env, execArgv, execPath, platform } = process
  // A channel to the parent would not survive.
  if (platform === 'win32' || process.execve === undefined || process.send !== undefined) return
  const given = [...execArgv, env['NODE_OPTIONS'] ?? ''].join(' ')
  if (!commands.has(argv[2] ?? '') || nodeOptions.some((option) => given.includes(option.split('=')[0] ?? ''))) return
  process.execve(execPath, [execPath, ...nodeOptions, ...execArgv, ...argv.slice(1)], env)
}
