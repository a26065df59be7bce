import { followFiles } from './followed-files.ts'
import { type KeyFile, readKeyFile } from './key-file.ts'

/** The keys of a file as they are now. */
export interface LiveKeys {
  current(): KeyFile
  stop(): void
}

/** Reads the file, which may throw, and follows its changes: a rotated key counts within four seconds. */
export function openKeys({ path, log }: { path: string; log: (line: string) => void }): LiveKeys {
  let keys: KeyFile
  const followed = followFiles({
    paths: [path],
    read: () => readKeyFile(path),
    onNew: (file) => {
      keys = file
      log(`The keys in ${path} have changed; there are ${file.keys.length}`)
    },
    log,
  })
  keys = followed.first
  return { current: () => keys, stop: () => followed.stop() }
}
