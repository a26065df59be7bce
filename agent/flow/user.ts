import { createHash, createHmac } from 'node:crypto'

const userCharsMax = 256
const hashDigits = 32
/** Users come again; a hash costs more than all else that is done for a request's user. */
const hashesMax = 4_096

type UserIds = { userIds: 'hashed' | 'plain'; sharedKey: string | undefined }

let settings: UserIds = { userIds: 'hashed', sharedKey: undefined }
const hashes = new Map<string, string>()

/** Says whether users are sent by a hash, which is keyed where there is a shared key, or as they are given. */
export function handleUserIds({ userIds, sharedKey }: UserIds): void {
  settings = { userIds, sharedKey }
  hashes.clear()
}

/** What is sent as `user.id`: the same for the same user in every service that has the same settings. */
export function userIdToSend(id: string): string {
  if (settings.userIds === 'plain') return id.slice(0, userCharsMax)
  const known = hashes.get(id)
  if (known !== undefined) return known
  const { sharedKey } = settings
  const hash = sharedKey === undefined ? createHash('sha256') : createHmac('sha256', sharedKey)
  const digest = hash.update(id).digest('hex').slice(0, hashDigits)
  if (hashes.size >= hashesMax) hashes.clear()
  if (id.length <= userCharsMax) hashes.set(id, digest)
  return digest
}
