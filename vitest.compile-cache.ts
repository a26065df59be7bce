// The processes that tests start (services with the agent, engines, the command line) read the same modules again and
// again, and most of such a start is stripping types and compiling. Within a run they share what that has made.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Names a directory for Node's compile cache to all processes of this run, and takes it away at the end. */
export default async function shareCompiled(): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'headwater-test-compiled-'))
  process.env['NODE_COMPILE_CACHE'] = directory
  // A process that is just ending may still be writing what it has compiled.
  return () => rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
}
