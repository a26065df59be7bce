// Each log has a random ID, made once: it is in every record and in every deduplication token. Without it no record is
// known, so a damaged file of it is mended from the records themselves.

import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { readAll, writeAll, type Access, type Files } from './files.ts'
import { decodeEdge, edgeBytes, idBytes, idOffset } from './record.ts'

/** Reads the ID at `path`, takes it from the first of `segments` that bears one, or makes a new one for a new log. */
export async function readIdentity(files: Files, path: string, segments: readonly string[]): Promise<Uint8Array> {
  const written = parse((await readStart(files, path, { access: 'change', bytes: 64 })).toString())
  if (written !== undefined) return written
  let id: Uint8Array | undefined
  for (const segment of segments) {
    const edge = await readStart(files, segment, { access: 'read', bytes: edgeBytes })
    const claimed = edge.subarray(idOffset, idOffset + idBytes)
    if (decodeEdge(edge, claimed) !== undefined) {
      id = claimed
      break
    }
  }
  id ??= randomBytes(idBytes)
  const file = await files.open(path, 'replace')
  try {
    await writeAll(file, [Buffer.from(format(id))], 0)
    await file.fdatasync()
  } finally {
    await file.close()
  }
  return id
}

function format(id: Uint8Array): string {
  const hex = Buffer.from(id).toString('hex')
  return `${hex} ${crc32(hex).toString(16).padStart(8, '0')}\n`
}

function parse(text: string): Uint8Array | undefined {
  const [hex = '', check] = text.trim().split(' ')
  if (!/^[0-9a-f]{32}$/.test(hex) || check !== crc32(hex).toString(16).padStart(8, '0')) return undefined
  return Buffer.from(hex, 'hex')
}

async function readStart(
  files: Files,
  path: string,
  { access, bytes }: { access: Access; bytes: number },
): Promise<Buffer> {
  const file = await files.open(path, access)
  try {
    const into = Buffer.alloc(bytes)
    return into.subarray(0, await readAll(file, into, 0))
  } finally {
    await file.close()
  }
}
