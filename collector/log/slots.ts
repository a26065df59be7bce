// Collectors on one machine may share a parent directory: each takes a slot of its own in it, `1`, `2`, …, and holds it
// as long as it lives. What a dead one left in its slot, another adopts.

import { join } from 'node:path'
import { segmentNumbers, segmentPath } from './segment.ts'
import { realFiles, type Files, type Lock } from './files.ts'

export const slotsMax = 16

/** A slot that is ours until its lock is released. */
export interface Slot {
  number: number
  path: string
  lock: Lock
}

/** Takes one slot; undefined when somebody has it. */
export async function takeSlot(files: Files, parent: string, number: number): Promise<Slot | undefined> {
  const path = join(parent, String(number))
  await files.makeDirectory(path)
  const lock = await files.lock(join(path, 'lock'))
  return lock && { number, path, lock }
}

/** Takes the first free slot. */
export async function takeFreeSlot(files: Files, parent: string): Promise<Slot> {
  for (let number = 1; number <= slotsMax; number += 1) {
    const slot = await takeSlot(files, parent, number)
    if (slot !== undefined) return slot
  }
  throw new Error(
    `Cannot open a log in ${parent}: ${slotsMax} collectors have theirs there; give this one another directory`,
  )
}

/** Slots that nobody has and that may hold blocks which ClickHouse does not have: open and drain them. */
export async function orphanedSlots(parent: string, files: Files = realFiles): Promise<number[]> {
  const orphaned: number[] = []
  const names = new Set(await files.list(parent))
  for (let number = 1; number <= slotsMax; number += 1) {
    if (!names.has(String(number)) || !(await hasRecords(files, join(parent, String(number))))) continue
    const slot = await takeSlot(files, parent, number)
    if (slot === undefined) continue
    slot.lock.release()
    orphaned.push(number)
  }
  return orphaned
}

/** Blocks that are done go with their segments at the latest when a log is closed, so a segment with bytes tells. */
async function hasRecords(files: Files, path: string): Promise<boolean> {
  for (const number of segmentNumbers(await files.list(path))) {
    try {
      if ((await files.stat(segmentPath(path, number))).bytes > 0) return true
    } catch {
      // Its owner has just removed it.
    }
  }
  return false
}
