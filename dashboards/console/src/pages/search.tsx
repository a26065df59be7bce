import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import './search.css'
import { useEffect, useId, useMemo, useRef, useState } from 'react'
import { Link, useSearchParams } from 'wouter'
import { dataOf, GET, type Schemas } from '../api/client.ts'
import { useLive } from '../api/live.ts'
import { runPath } from '../links.ts'
import { Empty, ErrorNote, Waiting } from '../parts/notes.tsx'
import { Raw, visible } from '../parts/raw.tsx'
import { State } from '../parts/state.tsx'
import { RangePicker, useRange } from '../parts/time-range.tsx'
import { Time } from '../parts/time.tsx'
import { Differences } from '../search/differences.tsx'
import { type Choice, HeatMap } from '../search/heat-map.tsx'
import { type Filter, filterOf, readWords, writeWords } from '../search/words.ts'
import { ms } from '../tell.ts'
import { useTitle } from '../use-title.ts'
import { useFlows } from './use-flows.ts'

/** Answers come as one types, but not at each letter. */
const typingMs = 220
const filterNames = ['flow', 'service', 'operation', 'user', 'status', 'minMs', 'maxMs', 'attribute', 'q']

export default function Search() {
  useTitle('Search')
  const [search, setSearch] = useSearchParams()
  const [range] = useRange()
  const filter = useMemo(() => filterOf(search), [search])
  const isOfRuns = search.get('kind') === 'runs'
  const choice = choiceOf(search)
  const window = { since: range.since, ...(range.until !== undefined && { until: range.until }) }
  const query = { ...filter, ...window }

  const change = (next: Filter) =>
    setSearch(
      (now) => {
        const params = new URLSearchParams(now)
        for (const name of [...filterNames, 'from', 'to', 'min', 'max']) params.delete(name)
        const { text, attribute = [], ...named } = next
        for (const [name, value] of Object.entries(named)) params.set(name, String(value))
        for (const each of attribute) params.append('attribute', each)
        if (text !== undefined) params.set('q', text)
        return params
      },
      { replace: true },
    )
  const choose = (next: Choice | undefined) =>
    setSearch(
      (now) => {
        const params = new URLSearchParams(now)
        const given = next && { from: next.sinceMs, to: next.untilMs, min: next.minMs, max: next.maxMs }
        for (const name of ['from', 'to', 'min', 'max'] as const) {
          if (given === undefined) params.delete(name)
          else params.set(name, String(Math.round(given[name] * 1e6) / 1e6))
        }
        return params
      },
      { replace: true },
    )
  const add = (name: string, value: string) => {
    if (name === 'service' || name === 'operation' || name === 'flow' || name === 'user')
      change({ ...filter, [name]: value })
    else change({ ...filter, attribute: [...(filter.attribute ?? []), `${name}=${value}`] })
  }

  const heat = useQuery({
    queryKey: ['heat', filter, range.key],
    queryFn: ({ signal }) => dataOf(GET('/api/v1/spans/heat', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    staleTime: 15_000,
  })
  const listed =
    choice === undefined
      ? query
      : {
          ...query,
          since: new Date(choice.sinceMs).toISOString(),
          until: new Date(choice.untilMs).toISOString(),
          minMs: choice.minMs,
          maxMs: choice.maxMs,
        }

  return (
    <section className="page search">
      <header className="page-head">
        <h1 className="hidden">Search</h1>
        <Words filter={filter} onChange={change} />
        <RangePicker />
      </header>
      <div className="columns">
        <div>
          <section className="card" aria-label="Spans by time and duration">
            {heat.isError && <ErrorNote error={heat.error} retry={() => void heat.refetch()} />}
            {heat.isPending && <Waiting what="Counting" />}
            {heat.data !== undefined && (
              <HeatMap
                cells={heat.data.cells}
                columns={heat.data.columns}
                sinceMs={Date.parse(heat.data.since)}
                untilMs={Date.parse(heat.data.until)}
                choice={choice}
                onChoose={choose}
              />
            )}
            {choice !== undefined && (
              <p className="row">
                <span className="num grow">
                  chosen: {ms(choice.minMs)} – {ms(choice.maxMs)}
                </span>
                <button type="button" className="small" onClick={() => choose(undefined)}>
                  Choose nothing
                </button>
              </p>
            )}
            {heat.data?.cells.length === 0 && <Nothing filter={filter} />}
          </section>
          {(heat.data?.cells.length ?? 0) > 0 && <Differences query={query} choice={choice} onAdd={add} />}
        </div>
        <section className="card results" aria-label="What is found">
          <div className="row">
            <div className="row" role="group" aria-label="What is listed">
              <button
                type="button"
                className="small"
                aria-pressed={!isOfRuns}
                onClick={() => setSearch(without(search, 'kind'))}
              >
                Spans
              </button>
              <button
                type="button"
                className="small"
                aria-pressed={isOfRuns}
                onClick={() => setSearch(withRuns(search))}
              >
                Runs
              </button>
            </div>
          </div>
          <Results query={listed} isOfRuns={isOfRuns} />
        </section>
      </div>
    </section>
  )
}

function without(search: URLSearchParams, name: string): URLSearchParams {
  const params = new URLSearchParams(search)
  params.delete(name)
  return params
}

function withRuns(search: URLSearchParams): URLSearchParams {
  const params = new URLSearchParams(search)
  params.set('kind', 'runs')
  return params
}

function choiceOf(search: URLSearchParams): Choice | undefined {
  const [sinceMs, untilMs, minMs, maxMs] = ['from', 'to', 'min', 'max'].map((name) =>
    Number(search.get(name) ?? Number.NaN),
  )
  if (sinceMs === undefined || untilMs === undefined || minMs === undefined || maxMs === undefined) return undefined
  return [sinceMs, untilMs, minMs, maxMs].every(Number.isFinite) ? { sinceMs, untilMs, minMs, maxMs } : undefined
}

/** The field: words for everything that can be asked, with what is known offered as one types. */
function Words({ filter, onChange }: { filter: Filter; onChange: (filter: Filter) => void }) {
  const fromAddress = writeWords(filter)
  const [words, setWords] = useState(fromAddress)
  const sent = useRef(fromAddress)
  const timer = useRef<number>(undefined)
  const list = useId()
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.focus(), [])
  // An address that changed by other means than this field shows in it.
  useEffect(() => {
    if (fromAddress === sent.current) return
    sent.current = fromAddress
    setWords(fromAddress)
  }, [fromAddress])
  const send = (text: string) => {
    clearTimeout(timer.current)
    const next = readWords(text)
    sent.current = writeWords(next)
    onChange(next)
  }
  const offers = useOffers(words)
  return (
    <form
      role="search"
      className="words grow"
      onSubmit={(event) => {
        event.preventDefault()
        send(words)
      }}
    >
      <input
        ref={field}
        type="search"
        aria-label="Search spans and runs"
        placeholder='service:math status:error >250ms user:alice http.route=/pay "some text"'
        value={words}
        list={list}
        spellCheck={false}
        autoComplete="off"
        onChange={({ target }) => {
          setWords(target.value)
          clearTimeout(timer.current)
          timer.current = window.setTimeout(() => send(target.value), typingMs)
        }}
      />
      <datalist id={list}>
        {offers.map((offer) => (
          <option key={offer} value={offer} />
        ))}
      </datalist>
      <p className="muted small-text">
        {['service:', 'flow:', 'operation:', 'user:', 'status:error', '>250ms', 'name=value'].map((word) => (
          <button
            key={word}
            type="button"
            className="word"
            onClick={() => {
              setWords(words === '' ? word : `${words.trimEnd()} ${word}`)
              field.current?.focus()
              if (!word.endsWith(':') && word !== 'name=value') send(`${words} ${word}`)
            }}
          >
            {word}
          </button>
        ))}
      </p>
    </form>
  )
}

const offersMax = 60

function useOffers(words: string): string[] {
  const flows = useFlows({})
  const services = useLive().snapshot?.nodes ?? []
  const before = words.replace(/(?:[^\s"]|"[^"]*"?)*$/, '')
  const last = words.slice(before.length)
  if (last === '') return []
  const known = [
    ...services.filter(({ kind }) => kind === 'service').map(({ id }) => writeWords({ service: id })),
    ...(flows.data?.items ?? []).map(({ name }) => writeWords({ flow: name })),
    'status:error',
    'status:ok',
  ]
  return known
    .filter((each) => each.toLowerCase().includes(last.toLowerCase()))
    .slice(0, offersMax)
    .map((each) => `${before}${visible(each)}`)
}

type SpanQuery = NonNullable<Parameters<typeof toSpans>[0]>

function toSpans(query: Filter & { since: string; until?: string }, cursor: string) {
  return dataOf(GET('/api/v1/spans', { params: { query: { ...query, limit: 100, ...(cursor !== '' && { cursor }) } } }))
}

function Results({ query, isOfRuns }: { query: SpanQuery; isOfRuns: boolean }) {
  const found = useInfiniteQuery({
    queryKey: ['spans', query],
    queryFn: ({ pageParam }) => toSpans(query, pageParam),
    initialPageParam: '',
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  })
  const spans = found.data?.pages.flatMap((page) => page.items) ?? []
  const items = isOfRuns ? firstOfRuns(spans) : spans
  if (found.isError) return <ErrorNote error={found.error} retry={() => void found.refetch()} />
  if (found.isPending) return <Waiting what="Searching" />
  return (
    <>
      {items.length === 0 && <p className="muted">Nothing is found.</p>}
      <ul className="rows">
        {items.map((span) => (
          <li key={`${span.traceId} ${span.spanId}`}>
            <Link
              href={isOfRuns ? runPath(span.flowId) : runPath(span.flowId, `${span.traceId}/${span.spanId}`)}
              data-row
            >
              <State state={span.status} />
              <span className="grow">
                <strong>
                  <Raw text={span.service} most={50} />
                </strong>{' '}
                <Raw text={span.name} most={90} />
                {(span.message !== '' || span.userId !== '') && (
                  <span className="below muted">
                    <Raw text={span.message} most={160} />
                    {span.userId !== '' && (
                      <>
                        {' '}
                        user <Raw text={span.userId} most={40} />
                      </>
                    )}
                  </span>
                )}
              </span>
              <span className="num nowrap">{ms(span.durationMs)}</span>
              <span className="muted nowrap">
                <Time at={span.startTime} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
      {found.hasNextPage && (
        <button type="button" disabled={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          More
        </button>
      )}
    </>
  )
}

/** Each run once, by the newest of its spans that is found. */
function firstOfRuns(spans: readonly Schemas['FoundSpan'][]): Schemas['FoundSpan'][] {
  return [...new Map(spans.toReversed().map((span) => [span.flowId, span])).values()].toReversed()
}

function Nothing({ filter }: { filter: Filter }) {
  const { snapshot } = useLive()
  if (snapshot?.nodes.length === 0) {
    return (
      <Empty title="No spans yet">
        <p>
          <Link href="/start">How the first one gets here</Link>
        </p>
      </Empty>
    )
  }
  return (
    <Empty title="No span is like that in this time">
      <p>
        {Object.keys(filter).length > 0
          ? 'Names are matched whole, text by part. Leave out a word, or choose a longer time.'
          : 'Choose a longer time.'}
      </p>
    </Empty>
  )
}
