import { useEffect, useRef } from 'react'
import { useLocation } from 'wouter'

const places: Readonly<Record<string, string>> = { n: '/', i: '/incidents', f: '/flows', s: '/services', q: '/search' }

const list = [
  ['/', 'find a flow ID, a trace ID, a service'],
  ['g n', 'now'],
  ['g i', 'incidents'],
  ['g f', 'flows'],
  ['g s', 'services'],
  ['g q', 'search'],
  ['j k', 'next, previous row of a list'],
  ['Enter', 'open the row'],
  ['?', 'this list'],
  ['Esc', 'close, or let go of a field'],
] as const

/** Keys that work everywhere, but not while somebody types. */
export function useShortcuts(toggleHelp: () => void): void {
  const [, go] = useLocation()
  const help = useRef(toggleHelp)
  help.current = toggleHelp
  useEffect(() => {
    let isGoing = false
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
      const { target, key } = event
      const isTyping =
        target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
      if (isTyping) {
        if (key === 'Escape') target.blur()
        return
      }
      const place = isGoing ? places[key] : undefined
      isGoing = key === 'g'
      if (place !== undefined) go(place)
      else if (key === '?') help.current()
      else if (key === '/') document.getElementById('find')?.focus()
      else if (key === 'j' || key === 'k') step(key === 'j' ? 1 : -1)
      else return
      event.preventDefault()
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [go])
}

/** Moves to the next or previous row that can be opened. */
function step(by: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')]
  const at = rows.findIndex((row) => row === document.activeElement || row.contains(document.activeElement))
  const next = rows[Math.max(0, Math.min(rows.length - 1, at === -1 ? 0 : at + by))]
  next?.focus()
  next?.scrollIntoView({ block: 'nearest' })
}

export function Shortcuts({ isOpen, close }: { isOpen: boolean; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    if (isOpen) dialog.current?.showModal()
    else dialog.current?.close()
  }, [isOpen])
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="shortcuts">
      <h2 id="shortcuts">Keys</h2>
      <dl className="keys">
        {list.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              {keys.split(' ').map((each) => (
                <kbd key={each}>{each}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <button type="button" onClick={close}>
        Close
      </button>
    </dialog>
  )
}
