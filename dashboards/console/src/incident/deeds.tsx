import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useId, useRef, useState } from 'react'
import { dataOf, POST, PUT, type Schemas } from '../api/client.ts'
import { setName, useName } from '../name.ts'
import { Raw } from '../parts/raw.tsx'

type Incident = Schemas['Incident']

const nameMost = 100

/** What a person does about an incident. The answer is the incident as it is then, so it is shown at once. */
function useDeed(id: string) {
  const client = useQueryClient()
  const name = useName().trim()
  const field = useRef<HTMLInputElement>(null)
  const [isNameless, setNameless] = useState(false)
  const deed = useMutation({
    mutationFn: (ask: (by: string) => Promise<Incident>) => ask(name),
    onSuccess: (incident) => {
      // A deed answers with the incident alone, without what is read beside it.
      client.setQueryData(['incident', id], (known: object | undefined) => ({ ...known, ...incident }))
      void client.invalidateQueries({ queryKey: ['incidents'] })
      void client.invalidateQueries({ queryKey: ['score'] })
    },
  })
  return {
    field,
    isPending: deed.isPending,
    problem: isNameless && name === '' ? 'Say who you are first' : deed.error?.message,
    /** Does it; without a name, asks for one. */
    act(ask: (by: string) => Promise<Incident>): void {
      setNameless(name === '')
      if (name === '') field.current?.focus()
      else deed.mutate(ask)
    },
  }
}

type Deed = ReturnType<typeof useDeed>

function NameField({ deed }: { deed: Deed }) {
  const id = useId()
  return (
    <>
      <label htmlFor={id} className="hidden">
        Your name
      </label>
      <input
        id={id}
        ref={deed.field}
        className="name"
        value={useName()}
        placeholder="Your name"
        maxLength={nameMost}
        autoComplete="name"
        onChange={(event) => setName(event.target.value)}
      />
    </>
  )
}

function Problem({ deed: { problem } }: { deed: Deed }) {
  if (problem === undefined) return null
  return (
    <p className="bad-text" role="alert">
      {problem}
    </p>
  )
}

/** Acknowledge and resolve, by a name that this browser remembers. */
export function Deeds({ incident }: { incident: Incident }) {
  const { id } = incident
  const deed = useDeed(id)
  const params = { path: { id } }
  if (incident.state === 'resolved') return null
  return (
    <form className="deeds" onSubmit={(event) => event.preventDefault()}>
      <NameField deed={deed} />
      {incident.acknowledged === null && (
        <button
          type="button"
          className="primary"
          disabled={deed.isPending}
          onClick={() => deed.act((by) => dataOf(POST('/api/v1/incidents/{id}/acknowledge', { params, body: { by } })))}
        >
          I look after it
        </button>
      )}
      <button
        type="button"
        disabled={deed.isPending}
        onClick={() => deed.act((by) => dataOf(POST('/api/v1/incidents/{id}/resolve', { params, body: { by } })))}
      >
        Resolve
      </button>
      <Problem deed={deed} />
    </form>
  )
}

export function CommentForm({ incident: { id } }: { incident: Incident }) {
  const [text, setText] = useState('')
  const deed = useDeed(id)
  const label = useId()
  return (
    <form
      className="comment-form"
      onSubmit={(event) => {
        event.preventDefault()
        if (text.trim() === '') return
        deed.act(async (by) => {
          const body = { by, text: text.trim() }
          const incident = await dataOf(POST('/api/v1/incidents/{id}/comments', { params: { path: { id } }, body }))
          setText('')
          return incident
        })
      }}
    >
      <label htmlFor={label} className="hidden">
        Comment
      </label>
      <textarea
        id={label}
        rows={2}
        value={text}
        placeholder="What do you see, what did you do?"
        maxLength={4_000}
        onChange={(event) => setText(event.target.value)}
      />
      <div className="row">
        <NameField deed={deed} />
        <button type="submit" disabled={text.trim() === '' || deed.isPending}>
          Comment
        </button>
      </div>
      <Problem deed={deed} />
    </form>
  )
}

/** Whether the first cause was right: what becomes the score. */
export function VerdictForm({ incident }: { incident: Incident }) {
  const { id, verdict } = incident
  const [isWrong, setWrong] = useState(false)
  const [service, setService] = useState('')
  const deed = useDeed(id)
  const label = useId()
  const params = { path: { id } }
  const send = (cause: 'right' | 'wrong') => {
    const actual = cause === 'wrong' && service.trim() !== '' ? { actual: { service: service.trim() } } : {}
    deed.act((by) => dataOf(PUT('/api/v1/incidents/{id}/verdict', { params, body: { by, cause, ...actual } })))
    setWrong(false)
  }
  return (
    <div className="verdict">
      <div className="row">
        <h3>Was this cause right?</h3>
        {verdict === null ? (
          <NameField deed={deed} />
        ) : (
          <span>
            <Raw text={verdict.by} most={60} /> says <strong>{verdict.cause}</strong>
            {verdict.actual !== null && (
              <>
                : it was <Raw text={verdict.actual.service} most={80} />
              </>
            )}
          </span>
        )}
        <button
          type="button"
          aria-pressed={verdict?.cause === 'right'}
          disabled={deed.isPending}
          onClick={() => send('right')}
        >
          ✓ Right
        </button>
        <button
          type="button"
          aria-pressed={verdict?.cause === 'wrong'}
          aria-expanded={isWrong}
          disabled={deed.isPending}
          onClick={() => setWrong(!isWrong)}
        >
          ✕ Wrong
        </button>
      </div>
      {isWrong && (
        <form
          className="row"
          onSubmit={(event) => {
            event.preventDefault()
            send('wrong')
          }}
        >
          <label htmlFor={label} className="hidden">
            The service that it truly was, if you know
          </label>
          <input
            id={label}
            className="grow"
            value={service}
            placeholder="The service that it truly was, if you know"
            maxLength={200}
            onChange={(event) => setService(event.target.value)}
          />
          <button type="submit">Say so</button>
        </form>
      )}
      <Problem deed={deed} />
    </div>
  )
}
