// What walking through a request takes and gives, whatever its signal.

import type { ShedReason } from '../sampling/shedder.ts'
import type { Rejections } from './rejections.ts'

/** What became of one request. */
export interface Walked {
  /** Records in the request, rows and rejected ones together. */
  records: number
  rejections: Rejections
  /** What its rows take, repetitions included. */
  bytes: number
  /** Good records that were left out on purpose. */
  shed: Readonly<Partial<Record<ShedReason, number>>>
}

/** What one request may take once decoded. */
export interface WalkLimits {
  recordsMax: number
  /** Of columns. */
  columnBytesMax: number
  /** Of texts that repeat for each record: a small body can claim gigabytes. */
  repeatedBytesMax: number
}
