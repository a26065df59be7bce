import { randomUUID } from 'node:crypto'
import { OpenAPIHono } from '@hono/zod-openapi'
import type { Store } from '@headwater/store'
import { MetricSet } from '@headwater/vocabulary'
import { bodyLimit } from 'hono/body-limit'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { matchedRoutes } from 'hono/route'
import { answerRefusal, Refusal, refusalOf, type RequestVariables } from './errors.ts'
import { refuseStrangers, requireToken } from './guard.ts'
import { serveJaeger } from './jaeger/routes.ts'
import { serveJaeger3 } from './jaeger/routes-v3.ts'
import { metrics } from './metrics.ts'
import { detailsOf, invalid } from './parameters.ts'
import { nowReader } from './live/read-now.ts'
import type { Snapshot } from './live/snapshot.ts'
import { serveChanges } from './routes/changes.ts'
import { serveConsole } from './routes/console.ts'
import { serveExecutions } from './routes/executions.ts'
import { serveExplain } from './routes/explain.ts'
import { serveFlows } from './routes/flows.ts'
import { serveGraph } from './routes/graph.ts'
import { type Readiness, serveHealth } from './routes/health.ts'
import { serveImpact } from './routes/impact.ts'
import { serveIncidentPeople } from './routes/incident-people.ts'
import { serveIncidents } from './routes/incidents.ts'
import { serveLedger } from './routes/ledger.ts'
import { serveMetrics } from './routes/metrics.ts'
import { serveNow } from './routes/now.ts'
import type { Api } from './routes/parts.ts'
import { type ExplainPast, servePast } from './routes/past.ts'
import { serveRates } from './routes/rates.ts'
import { serveRunDetails } from './routes/run-details.ts'
import { serveSearch } from './routes/search.ts'
import { serveSeries } from './routes/series.ts'
import { serveState } from './routes/state.ts'
import { serveServices } from './routes/services.ts'
import { serveSession } from './routes/session.ts'
import { serveTraces } from './routes/traces.ts'
import { serveTraffic } from './routes/traffic.ts'
import { serviceGraph } from './service-graph.ts'
import type { ApiSettings } from './settings.ts'

export interface ApiParts {
  store: Store
  settings: Pick<ApiSettings, 'host' | 'token'>
  /** What the other stations of this process measure, in Prometheus' text format. */
  metricsText: () => string
  /** The analysis of a time of the past, which is the analyzer's. */
  explainPast: ExplainPast
  readiness?: Readiness | undefined
  /** What goes on now; by default read from the store. */
  readNow?: (() => Promise<Snapshot>) | undefined
  /** Where the console's build is; without it only the API is served. */
  consoleDirectory?: string | undefined
  /** Unix milliseconds. */
  now?: (() => number) | undefined
  /** Told of failures that the caller cannot mend. */
  log?: ((message: string, error?: unknown) => void) | undefined
}

/** Larger bodies are answered with 413. */
const bodyBytesMax = 64 * 1024

/** The API as a function from request to answer; `startApi` puts it on a port. */
export function createApi({
  store,
  settings,
  metricsText,
  explainPast,
  readiness,
  now = Date.now,
  readNow = nowReader({ store, now }),
  consoleDirectory,
  log = console.error,
}: ApiParts): Api {
  const counts = new MetricSet(metrics)
  const api: Api = new OpenAPIHono<RequestVariables>({
    defaultHook: (result) => {
      // The validator leaves what it was given beside the error.
      if (!result.success) throw invalid(detailsOf(result.error, 'data' in result ? result.data : undefined))
    },
  })

  api.use(async (c, next) => {
    const asked = c.req.header('x-request-id')
    c.set('requestId', asked !== undefined && /^[\w.-]{1,64}$/.test(asked) ? asked : randomUUID())
    c.set('traceId', /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(c.req.header('traceparent') ?? '')?.[1] ?? null)
    const startedMs = performance.now()
    await next()
    c.header('x-request-id', c.get('requestId'))
    // Answers are of this moment; the console's files say themselves how long they are good.
    if (!c.res.headers.has('cache-control')) c.header('cache-control', 'no-store')
    c.header('x-content-type-options', 'nosniff')
    const route = matchedRoutes(c).findLast(({ path }) => path !== '/*')?.path ?? 'unknown'
    counts.add('headwater_api_requests_total', 1, { route, status: String(c.res.status) })
    counts.add('headwater_api_request_seconds_total', (performance.now() - startedMs) / 1000, { route })
  })
  api.use(
    methodNotAllowed({
      app: api,
      onMethodNotAllowed: (c, methods) => {
        const allow = methods.join(', ')
        const message = `${c.req.method} is not possible here: use ${allow}`
        return answerRefusal(c, new Refusal(405, 'method_not_allowed', message, { headers: { allow } }))
      },
    }),
  )
  api.use(refuseStrangers(settings))

  serveHealth(api, { store, readiness })
  serveConsole(api, { directory: consoleDirectory })
  serveSession(api, { settings, now })
  api.use(requireToken(settings, now))
  api.use(
    bodyLimit({
      maxSize: bodyBytesMax,
      onError: () => {
        throw new Refusal(413, 'body_too_large', `The body is larger than ${bodyBytesMax} bytes: send less`)
      },
    }),
  )
  const parts = { store, now }
  serveServices(api, parts)
  serveGraph(api, parts)
  serveExecutions(api, parts)
  serveExplain(api, parts)
  serveTraces(api, parts)
  serveIncidents(api, parts)
  serveIncidentPeople(api, { ...parts, log })
  serveImpact(api, parts)
  serveSeries(api, parts)
  servePast(api, {
    explainPast,
    now,
    onRefused: () => counts.add('headwater_api_explanations_refused_total'),
    onLeftOut: ({ series, logsOfCalls }) => {
      counts.add('headwater_api_explain_series_left_out_total', series)
      counts.add('headwater_api_explain_logs_left_out_total', logsOfCalls)
    },
  })
  serveState(api, parts)
  serveChanges(api, parts)
  serveLedger(api, parts)
  serveRates(api, parts)
  serveNow(api, { readNow })
  serveFlows(api, parts)
  serveTraffic(api, parts)
  serveSearch(api, parts)
  serveRunDetails(api, parts)
  serveJaeger(api, { ...parts, counts })
  serveJaeger3(api, { ...parts, counts })

  serveMetrics(api, { graphText: serviceGraph(parts), texts: [metricsText, () => counts.text()] })
  api.openAPIRegistry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' })
  api.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: { title: 'Headwater', version: '0.1.0', description: 'Where it started, what it reaches, what to do' },
    security: settings.token === undefined ? [] : [{ token: [] }],
  })

  api.notFound((c) =>
    answerRefusal(c, new Refusal(404, 'not_found', `There is nothing at ${c.req.path}: see /openapi.json`)),
  )
  api.onError((error, c) => {
    const refusal = refusalOf(error)
    if (refusal.status === 500)
      log(`Cannot answer ${c.req.method} ${c.req.path} (request ${c.get('requestId')})`, error)
    return answerRefusal(c, refusal)
  })
  return api
}
