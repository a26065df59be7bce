// Making a new PostgreSQL directory takes 700 MB that the process would not give back, so it is a program of its own:
// `node initialize.ts DIRECTORY`. The directory appears whole or not at all, also when the one who asked for it is
// killed and asks again.

import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { PGlite } from '@electric-sql/pglite'
import { holdExclusively } from '../exclusive.ts'

const directory = process.argv[2]
if (directory === undefined) throw new Error('Cannot initialize PostgreSQL: name the directory')
if (holdExclusively(`${directory}.lock`, 30_000) === undefined)
  throw new Error(`Cannot initialize PostgreSQL in ${directory}: another process has been doing so for 30 s`)
if (!existsSync(directory)) {
  const unfinished = `${directory}.new`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { mode: 0o700 })
  const database = await PGlite.create({ dataDir: unfinished })
  await database.close()
  renameSync(unfinished, directory)
}
