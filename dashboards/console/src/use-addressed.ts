import { useEffect, useRef, useState } from 'react'
import { useSearchParams } from 'wouter'

/** Browsers let an address change only so often. */
const settledMs = 250

/** A text that the page's address keeps, so that who gets the address sees the same. Empty where the address has none. */
export function useAddressed(name: string): [string, (text: string) => void] {
  const [search, setSearch] = useSearchParams()
  const addressed = search.get(name) ?? ''
  const [text, setText] = useState(addressed)
  const sent = useRef(addressed)
  const timer = useRef<number>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  // An address that changed by other means, such as a link, shows.
  useEffect(() => {
    if (addressed === sent.current) return
    sent.current = addressed
    clearTimeout(timer.current)
    setText(addressed)
  }, [addressed])
  const change = (next: string) => {
    setText(next)
    clearTimeout(timer.current)
    timer.current = window.setTimeout(() => {
      sent.current = next
      setSearch(
        (now) => {
          const params = new URLSearchParams(now)
          if (next === '') params.delete(name)
          else params.set(name, next)
          return params
        },
        { replace: true },
      )
    }, settledMs)
  }
  return [text, change]
}
