import { useEffect, useRef, useState } from 'react'

/** Copies a text; says so for a moment. Where the browser forbids it, selects it instead. */
export function Copy({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [isDone, setDone] = useState(false)
  const timer = useRef<number>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  return (
    <button
      type="button"
      className="small"
      onClick={(event) => {
        const { currentTarget } = event
        const tell = () => {
          setDone(true)
          timer.current = window.setTimeout(() => setDone(false), 1_600)
          return undefined
        }
        // Without HTTPS there is no clipboard at all.
        const copying = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'))
        copying.then(tell, () => select(currentTarget.closest('[data-copied]') ?? currentTarget))
      }}
    >
      <span role="status">{isDone ? 'Copied' : label}</span>
    </button>
  )
}

function select(element: Element): void {
  const range = document.createRange()
  range.selectNodeContents(element)
  getSelection()?.removeAllRanges()
  getSelection()?.addRange(range)
}

/** A command or a snippet with a button that copies it. */
export function Snippet({ text }: { text: string }) {
  return (
    <div className="snippet" data-copied>
      <pre tabIndex={0}>{text}</pre>
      <Copy text={text} />
    </div>
  )
}
