import { setFlagsFromString } from 'node:v8'

/**
 * Lets V8's old heap double before it is collected. V8 itself stops at a few megabytes more, and counts buffers with them, so
 * that a collector of some twenty megabytes would trace them all after every few dozen requests, which is a fifth of its work.
 * The flag is read whenever a limit is set anew, so it may come late.
 */
export function collectLessOften(): void {
  setFlagsFromString('--heap-growing-percent=100')
}
