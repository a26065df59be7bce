// Rows reach the engine through a file: `INSERT … FROM INFILE` takes any bytes, where inline rows would be taken
// apart at the first blank line.

import { randomUUID } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { open, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { exception } from './exception.ts'

/** Rows in a file that exists until `remove`. */
interface SpooledRows {
  path: string
  bytes: number
  remove(): Promise<void>
}

export interface Spool {
  write(rows: AsyncIterable<Buffer>): Promise<SpooledRows>
}

async function writeAll(file: FileHandle, rows: AsyncIterable<Buffer>, bytesMax: number): Promise<number> {
  let bytes = 0
  for await (const chunk of rows) {
    bytes += chunk.length
    if (bytes > bytesMax)
      throw exception(
        'TOO_MANY_BYTES',
        `Request body is larger than ${bytesMax} bytes: send the rows in several inserts`,
      )
    await file.write(chunk)
  }
  return bytes
}

/** Opens the spool in `directory`, and clears what a crash left in it. */
export function createSpool(directory: string, bytesMax: number): Spool {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return {
    async write(rows) {
      const path = join(directory, randomUUID())
      const remove = () => unlink(path)
      const file = await open(path, 'wx', 0o600)
      try {
        const bytes = await writeAll(file, rows, bytesMax)
        return { path, bytes, remove }
      } catch (error) {
        await remove()
        throw error
      } finally {
        await file.close()
      }
    },
  }
}
