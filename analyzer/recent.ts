import type { TimeRange } from '@headwater/store'
import { parameters } from './parameters.ts'

/**
 * What a step takes for now: whole windows up to the one in which `atMs` lies. Where it ends within one, as early steps do, that
 * one holds what has been settled of it so far.
 */
export function recentAt(atMs: number): TimeRange {
  const toWindow = (ms: number): number => Math.ceil(ms / parameters.stepMs) * parameters.stepMs
  return { fromMs: toWindow(atMs - parameters.recentMs), toMs: toWindow(atMs) }
}

/** Whether a step lies between two regular ones: it opens incidents, and leaves those that are open to the next regular one. */
export function isEarly(atMs: number): boolean {
  return atMs % parameters.stepMs !== 0
}
