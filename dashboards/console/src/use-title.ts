import { useEffect } from 'react'
import { visible } from './parts/raw.tsx'

/** Names the page in the browser's tab and history. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${visible(title).slice(0, 120)} · Headwater`
    return () => {
      document.title = 'Headwater'
    }
  }, [title])
}
