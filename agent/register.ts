// node --import @headwater/agent/register app.js
// Only what any Node understands stands here: the rest is loaded once the version is known to do.

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < 22 || (major === 22 && minor < 15)) {
  process.stderr.write(
    `headwater: Node ${process.versions.node} is too old to be traced, the service runs untraced; use Node 22.15 or newer\n`,
  )
  await tellDoctor().catch(() => undefined)
} else {
  try {
    const { startAgent } = await import('./start.ts')
    await startAgent(process.env)
  } catch (error) {
    process.stderr.write(`headwater: cannot load the agent: ${String(error)}; the service runs untraced\n`)
  }
}

/** Where `headwater doctor` runs the service, it reads in a file what is found. */
async function tellDoctor(): Promise<void> {
  const file = process.env['HEADWATER_DOCTOR']
  if (!file) return
  const { appendFileSync } = await import('node:fs')
  const note = {
    pid: process.pid,
    program: process.argv[1] ?? 'node',
    check: 'node',
    status: 'bad',
    says: `${process.versions.node} (${process.execPath}): nothing of this process is captured, it is too old`,
    mend: 'use Node 22.15 or newer',
  }
  appendFileSync(file, `${JSON.stringify(note)}\n`)
}
