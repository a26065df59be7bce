// Who acts: said once, remembered by this browser, the same in every form.
import { useSyncExternalStore } from 'react'
import { rememberedName, rememberName } from './theme.ts'

let name = rememberedName()
const watchers = new Set<() => void>()

export function setName(next: string): void {
  name = next
  rememberName(next.trim())
  for (const watcher of watchers) watcher()
}

export function useName(): string {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    () => name,
  )
}
