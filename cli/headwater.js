#!/usr/bin/env node
// Plain JavaScript on purpose: a Node that is too old has to get as far as the sentence that says so.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `headwater needs Node 22.18 or newer, this is ${process.versions.node} (${process.execPath}). ` +
      'In a checkout, use npm scripts or npx: they bring their own Node.\n',
  )
  process.exit(1)
}
const { startAnew } = await import('./start-anew.ts')
startAnew()
const { main } = await import('./main.ts')
await main(process.argv)
