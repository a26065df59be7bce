import { allocatorEnvironment } from '@headwater/collector/allocator'

/** Commands that run a collector. */
const commands = ['up', 'collector']

/**
 * Puts the same program in this process's place, with the environment that its memory allocator reads at the start; process ID,
 * files and signals stay. Does nothing where that is set already, or where a process cannot be replaced.
 */
export function startAnew(): void {
  const { argv, env, execArgv, execPath, platform } = process
  // A channel to the parent would not survive.
  if (platform !== 'linux' || process.execve === undefined || process.send !== undefined) return
  if (!commands.includes(argv[2] ?? '') || Object.keys(allocatorEnvironment).some((name) => name in env)) return
  process.execve(execPath, [execPath, ...execArgv, ...argv.slice(1)], { ...env, ...allocatorEnvironment })
}
