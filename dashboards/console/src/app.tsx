import { QueryErrorResetBoundary, useQueryClient } from '@tanstack/react-query'
import { Component, lazy, type ReactNode, Suspense, useEffect, useState } from 'react'
import { Link, Route, Switch, useLocation } from 'wouter'
import { Failure } from './api/client.ts'
import { useLive } from './api/live.ts'
import { Find } from './parts/find.tsx'
import { ErrorNote, Waiting } from './parts/notes.tsx'
import { Shortcuts, useShortcuts } from './parts/shortcuts.tsx'
import { SignIn } from './parts/sign-in.tsx'
import { clock, span } from './tell.ts'
import { chooseTheme, chosenTheme, type Theme } from './theme.ts'
import { Incident } from './pages/incident.tsx'
import { Incidents } from './pages/incidents.tsx'
import { Start } from './pages/start.tsx'

const Now = lazy(() => import('./pages/now.tsx'))
const Run = lazy(() => import('./pages/run.tsx'))
const Search = lazy(() => import('./pages/search.tsx'))
const Service = lazy(() => import('./pages/service.tsx'))
const Flow = lazy(() => import('./pages/flow.tsx'))
const Services = lazy(() => import('./pages/services.tsx'))
const Flows = lazy(() => import('./pages/flows.tsx'))

const places = [
  { path: '/', name: 'Now' },
  { path: '/incidents', name: 'Incidents' },
  { path: '/flows', name: 'Flows' },
  { path: '/services', name: 'Services' },
  { path: '/search', name: 'Search' },
] as const

export function App() {
  const [location] = useLocation()
  const [isHelpOpen, setHelpOpen] = useState(false)
  const [isSignedOut, signedIn] = useSignedOut()
  useShortcuts(() => setHelpOpen((isOpen) => !isOpen))
  useEffect(() => {
    document.getElementById('main')?.focus({ preventScroll: true })
    window.scrollTo(0, 0)
  }, [location])

  return (
    <>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="bar">
        <Link href="/" className="brand">
          <img src="/mark.svg" alt="" width="22" height="22" />
          Headwater
        </Link>
        <nav aria-label="Places">
          {places.map(({ path, name }) => (
            <Link key={path} href={path} aria-current={isAt(location, path) ? 'page' : undefined}>
              {name}
              {path === '/incidents' && <OpenCount />}
            </Link>
          ))}
        </nav>
        <Find />
        <LiveMark />
        <ThemeButton />
      </header>
      <main id="main" tabIndex={-1}>
        {isSignedOut ? (
          <SignIn onDone={signedIn} />
        ) : (
          <Caught key={location}>
            <Suspense fallback={<Waiting />}>
              <Switch>
                <Route path="/" component={Now} />
                <Route path="/incidents" component={Incidents} />
                <Route path="/incidents/:id">{({ id }) => <Incident id={decoded(id)} />}</Route>
                <Route path="/runs/:id">{({ id }) => <Run id={decoded(id)} />}</Route>
                <Route path="/services" component={Services} />
                <Route path="/service" component={Service} />
                <Route path="/flows" component={Flows} />
                <Route path="/flow" component={Flow} />
                <Route path="/search" component={Search} />
                <Route path="/start" component={Start} />
                <Route>
                  <section className="page narrow">
                    <h1>There is no such place</h1>
                    <p>
                      <Link href="/">What goes on now</Link> · <Link href="/search">Search</Link>
                    </p>
                  </section>
                </Route>
              </Switch>
            </Suspense>
          </Caught>
        )}
      </main>
      <Shortcuts isOpen={isHelpOpen} close={() => setHelpOpen(false)} />
    </>
  )
}

function isAt(location: string, path: string): boolean {
  if (path === '/') return location === '/'
  if (path === '/flows') return location === '/flows' || location === '/flow'
  if (path === '/services') return location === '/services' || location === '/service'
  return location === path || location.startsWith(`${path}/`)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Whether the API asked for the token: whichever question it was. */
function useSignedOut(): [boolean, () => void] {
  const client = useQueryClient()
  const [isSignedOut, setSignedOut] = useState(false)
  useEffect(
    () =>
      client.getQueryCache().subscribe(({ query }) => {
        const { error, status } = query.state
        if (status === 'error' && error instanceof Failure && error.status === 401) setSignedOut(true)
      }),
    [client],
  )
  return [isSignedOut, () => setSignedOut(false)]
}

function OpenCount() {
  const open = useLive().snapshot?.incidents.length ?? 0
  if (open === 0) return null
  return (
    <span className="badge bad" aria-label={`${open} open`}>
      {open}
    </span>
  )
}

/** Data older than this is said to be. */
const oldMs = 30_000

function LiveMark() {
  const { state, snapshot } = useLive()
  const lagMs = snapshot === undefined ? 0 : Date.parse(snapshot.at) - Date.parse(snapshot.until)
  const isOld = lagMs > oldMs + 10_000
  const words =
    state === 'away'
      ? 'no connection'
      : state === 'connecting'
        ? 'connecting'
        : isOld
          ? `analysis is ${span(lagMs)} behind`
          : state === 'polling'
            ? 'asked for'
            : 'live'
  return (
    <span className={`live ${state === 'away' || isOld ? 'bad' : state}`} role="status">
      <i aria-hidden="true" />
      <span>{words}</span>
      {snapshot !== undefined && <span className="muted wide-only"> as of {clock(snapshot.until)}</span>}
    </span>
  )
}

const themes: Readonly<Record<Theme, { next: Theme; sign: string }>> = {
  system: { next: 'light', sign: '◐' },
  light: { next: 'dark', sign: '○' },
  dark: { next: 'system', sign: '●' },
}

function ThemeButton() {
  const [theme, setTheme] = useState(chosenTheme)
  const { next, sign } = themes[theme]
  return (
    <button
      type="button"
      className="quiet"
      title={`Theme: ${theme}`}
      aria-label={`Theme: ${theme}. Change to ${next}`}
      onClick={() => {
        chooseTheme(next)
        setTheme(next)
      }}
    >
      {sign}
    </button>
  )
}

/** A part that fails leaves the rest of the console as it is. */
class Caught extends Component<{ children: ReactNode }, { error: Error | undefined }> {
  override state = { error: undefined }

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error }
  }

  override render(): ReactNode {
    const { error } = this.state
    if (error === undefined) return this.props.children
    return (
      <QueryErrorResetBoundary>
        {({ reset }) => (
          <section className="page narrow">
            <ErrorNote
              error={error}
              retry={() => {
                reset()
                this.setState({ error: undefined })
              }}
            />
          </section>
        )}
      </QueryErrorResetBoundary>
    )
  }
}
