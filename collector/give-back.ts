/** Small buffers share memory of this size, which Node does not let go of. */
const sharedBytes = Buffer.allocUnsafe(1).buffer.byteLength

/**
 * Gives memory back at once; the bytes are empty from then on. What is left to the collection of garbage starts it every few
 * dozen requests, since V8 counts it. For bytes that nobody else holds and nobody writes or sends any more: the kernel, a socket
 * or a thread that still reads them would read what is not theirs.
 */
export function giveBack({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && !buffer.detached && buffer.byteLength !== sharedBytes) buffer.transfer(0)
}
