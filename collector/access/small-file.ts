import { readFileSync, statSync } from 'node:fs'

/** The text of a file that a person names, who may name a device or a database by mistake. */
export function readSmallFile(path: string, { bytesMax }: { bytesMax: number }): string {
  const status = statSync(path)
  if (!status.isFile()) throw new Error(`${path} is not a file`)
  if (status.size > bytesMax) throw new Error(`${path} takes ${status.size} bytes, at most ${bytesMax} may be read`)
  return readFileSync(path, 'utf8')
}
