/**
 * Gives memory back at once; the bytes are empty from then on. What is left to the collection of garbage starts it every few
 * dozen requests, since V8 counts it. For bytes that nobody else holds and nobody writes or sends any more: the kernel, a socket
 * or a thread that still reads them would read what is not theirs.
 */
export function giveBack({ buffer, length }: Uint8Array): void {
  if (!(buffer instanceof ArrayBuffer) || buffer.detached) return
  // Node puts small buffers together into shared memory.
  const isAlone = length === buffer.byteLength || length >= Buffer.poolSize >>> 1
  if (isAlone) buffer.transfer(0)
}
