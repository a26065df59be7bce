/**
 * glibc takes memory for large buffers from the kernel and gives it back, until the first large one is let go: from then on it
 * keeps what ever larger ones leave behind, some sixty megabytes under load. A threshold that is set stays. It is read when a
 * process starts, and by glibc alone.
 */
export const allocatorEnvironment = { MALLOC_MMAP_THRESHOLD_: '131072' } as const
