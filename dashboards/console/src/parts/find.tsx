import { useRef, useState } from 'react'
import { useLocation } from 'wouter'
import { useLive } from '../api/live.ts'
import { runPath, searchPath, servicePath } from '../links.ts'
import { visible } from './raw.tsx'

const idForm = /^[0-9a-f]{32}$/

/** One field for all: a flow or trace ID opens the run, a service's name opens the service, anything else is searched for. */
export function Find() {
  const [, go] = useLocation()
  const [text, setText] = useState('')
  const field = useRef<HTMLInputElement>(null)
  const services = useLive().snapshot?.nodes.filter(({ kind }) => kind === 'service') ?? []

  function open(): void {
    // A traceparent header bears the trace ID as its second part.
    const wanted = text.trim().replace(/^[0-9a-f]{2}-([0-9a-f]{32})-.*$/i, '$1')
    if (wanted === '') return
    const id = wanted.toLowerCase().replaceAll('-', '')
    if (idForm.test(id)) go(runPath(id))
    else if (services.some(({ service }) => service === wanted)) go(servicePath(wanted))
    else go(searchPath({ q: wanted }))
    setText('')
    field.current?.blur()
  }

  return (
    <form
      role="search"
      className="find"
      onSubmit={(event) => {
        event.preventDefault()
        open()
      }}
    >
      <input
        ref={field}
        id="find"
        type="search"
        aria-label="Open a flow ID, a trace ID or a service, or search"
        placeholder="Flow ID, trace ID, service…"
        value={text}
        onChange={(event) => setText(event.target.value)}
        list="find-services"
        autoComplete="off"
        spellCheck={false}
      />
      <kbd aria-hidden="true">/</kbd>
      <datalist id="find-services">
        {services.slice(0, 300).map(({ id, service }) => (
          <option key={id} value={service}>
            {visible(id)}
          </option>
        ))}
      </datalist>
    </form>
  )
}
