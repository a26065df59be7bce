// The programs of the README, as they stand there.

import { readFileSync } from 'node:fs'

const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8')
const programs = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map(([, program = '']) => program)

/** The program that begins with `title` in a comment, or has it in it. */
export function programOf(title: string): string {
  const found =
    programs.find((program) => program.startsWith(`// ${title}`)) ?? programs.find((program) => program.includes(title))
  if (found === undefined) throw new Error(`The README has no program "${title}"`)
  return found
}

/** A module for `--import`, by which a server on any port tells it as `startApp` wants it. */
export const tellingPorts = `data:text/javascript,${encodeURIComponent(`
  import { Server } from 'node:net'
  const { emit } = Server.prototype
  Server.prototype.emit = function (event, ...rest) {
    if (event === 'listening') console.log('listening ' + this.address().port)
    return emit.call(this, event, ...rest)
  }
`)}`
