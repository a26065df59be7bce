// Which series could have departed from normal? Most have not, and ClickHouse can tell so without sending them: what comes back
// is small on a healthy day, however many series there are. Nothing is judged here: of each test that could be significant
// come its counts, and of all how many there are.
import type { Store } from './connect.ts'
import { bindWindows, comparedRows, statesIn, type Windows } from './windows.ts'

/** Above which of the usual durations a call is slow, and by how much the share of slow calls has to rise. */
export interface SlowRule {
  quantile: number
  factor: number
  medianFactor: number
  shareRiseMin: number
}

export interface ScreenRules {
  /** A series is tested against at least so many calls of before. */
  seriesCallsMin: number
  /** The one that tells most counts. */
  slowRules: readonly SlowRule[]
  slowFloorNs: number
  /** So many calls of before at most count as evidence. */
  trust: number
  /** A service is quiet when fewer calls came than this share of those that came before in as much time … */
  quietShareMax: number
  /** … of which there were at least so many. */
  quietCallsMin: number
}

export type ScreenedTest = 'errors' | 'origin-errors' | 'unanswered' | 'latency' | 'self-time'

/** A test that could be significant. Slow calls are told by each rule by which their share rose enough. */
export interface Outcome {
  test: ScreenedTest
  bad: number
  badBefore: number
}

/** An operation, or an edge into a service, of which a test could be significant. */
export interface SuspiciousSeries {
  service: string
  calls: number
  callsBefore: number
  outcomes: Outcome[]
}

export interface Screen {
  /** How many tests there are in all. */
  tests: number
  suspicious: SuspiciousSeries[]
  /** Services with spans that far fewer calls than before came into. */
  quiet: string[]
  /** Whether anything was called at all in the recent time. */
  isEmpty: boolean
  /** Suspicious series that were too many to be told. */
  leftOut: number
}

/** The most services that one screen tells of, and the most series of each. */
const [servicesMax, seriesOfServiceMax] = [20_000, 100]

/** Bytes of a query's groups from which on it goes on on disk: a third of what the embedded engine gives a query. */
const spillFrom = '146800640'

/** Tests roughly all that was called in the recent windows against those before. */
export async function screenSeries(
  store: Store,
  {
    recent,
    baseline,
    recentMs,
    baselineMs,
    rules,
  }: { recent: Windows; baseline: Windows; recentMs: number; baselineMs: number; rules: ScreenRules },
): Promise<Screen> {
  const usualShare = baselineMs === 0 ? 0 : recentMs / baselineMs
  const query_params = {
    ...bindWindows('recent', recent),
    ...bindWindows('baseline', baseline),
    seriesCallsMin: rules.seriesCallsMin,
    slowFloorNs: rules.slowFloorNs,
    trust: rules.trust,
    usualShare,
    quietShare: usualShare * rules.quietShareMax,
    quietCallsMin: rules.quietCallsMin,
  }
  const ask = async (query: string): Promise<ScreenRow> => {
    const answer = await store.clickhouse.query({
      query,
      query_params,
      format: 'JSONEachRow',
      clickhouse_settings: { max_bytes_before_external_group_by: spillFrom },
    })
    const [row] = await answer.json<ScreenRow>()
    return row ?? { tests: 0, calls: 0, all: 0, suspicious: [], quiet: [], silent: [] }
  }
  // One after another: each uses all cores by itself, and together they would need the memory of all.
  const operations = await ask(operationsQuery)
  const edges = await ask(edgesQuery)
  const slowOperations = await ask(slowOperationsQuery(rules))
  const slowEdges = await ask(slowEdgesQuery(rules))
  const silent = new Set(edges.silent)
  const answers = [operations, edges, slowOperations, slowEdges]
  return {
    tests: operations.tests + edges.tests,
    suspicious: answers.flatMap((answer) =>
      answer.suspicious
        // Who sends spans tells by itself how long it took.
        .filter(([service]) => answer !== slowEdges || silent.has(service))
        .flatMap(([service, all]) => all.map((series) => toSeries(service, series))),
    ),
    quiet: operations.quiet,
    isEmpty: operations.calls + edges.calls === 0,
    leftOut: answers.reduce((sum, { all, suspicious }) => sum + all - countSeries(suspicious), 0),
  }
}

interface ScreenRow {
  tests: number
  calls: number
  /** How many series are suspicious. */
  all: number
  suspicious: [service: string, series: SeriesRow[]][]
  quiet: string[]
  /** Services that are called and send no spans. */
  silent: string[]
}

type SeriesRow = [calls: number, callsBefore: number, outcomes: [test: ScreenedTest, bad: number, badBefore: number][]]

function countSeries(suspicious: ScreenRow['suspicious']): number {
  return suspicious.reduce((sum, [, series]) => sum + series.length, 0)
}

function toSeries(service: string, [calls, callsBefore, outcomes]: SeriesRow): SuspiciousSeries {
  return {
    service,
    calls,
    callsBefore,
    outcomes: outcomes.map(([test, bad, badBefore]) => ({ test, bad, badBefore })),
  }
}

const hasSpans = `Kind NOT IN ('peer', 'publish')`

// Series are told apart by 64 bits of their names, which takes half of the time that names take.
const operationKey = 'cityHash64(Service, Operation)'
const edgeKey = 'cityHash64(Service, Caller, CallerOperation)'

const calls = `
  any(Service) AS Called, any(Caller) AS AnyCaller,
  toInt64(sumIf(Calls, IsNow)) AS n, toInt64(sumIf(Calls, NOT IsNow)) AS nBefore,
  n > 0 AND nBefore >= {seriesCallsMin:Int64} AS IsCompared`

/** Operations of services, over all who call them: errors, and errors of their own. All four of their tests are counted here. */
const operationsQuery = byService(`
  SELECT ${calls}, IsCompared AS IsTested, 4 AS Tests, 1 AS IsAnswering,
    ${shareTest('errors', 'Errors')}, ${shareTest('origin-errors', 'OriginErrors')},
    arrayConcat(${outcomeOf('errors')}, ${outcomeOf('origin-errors')}) AS Outcomes
  FROM ${comparedRows(hasSpans)}
  GROUP BY ${operationKey}`)

/** Calls by who makes them: failed ones without an answer. Of callees without spans durations are tested as well. */
const edgesQuery = byService(`
  SELECT ${calls}, IsCompared AND AnyCaller != '' AS IsTested, 1 AS Tests, max(${hasSpans}) AS IsAnswering,
    ${shareTest('unanswered', `ClientErrors * (Kind = 'peer')`)},
    ${outcomeOf('unanswered')} AS Outcomes
  FROM ${comparedRows(`Kind != 'publish'`)}
  GROUP BY ${edgeKey}`)

/**
 * Durations and own time of operations. Histograms are dear, so those of before are added up only where enough calls of now
 * took so long that they could be slow by any rule.
 */
function slowOperationsQuery(rules: ScreenRules): string {
  return byService(`
    SELECT ${calls}, IsCompared AS IsTested, 0 AS Tests, 1 AS IsAnswering,
      ${timeTest('latency', 'Duration', rules)}, ${timeTest('self-time', 'Self', rules)},
      arrayConcat(${slowOutcomesOf('latency', rules)}, ${slowOutcomesOf('self-time', rules)}) AS Outcomes
    FROM ${comparedRows(hasSpans)}
    WHERE ${operationKey} IN (${slowNow(operationKey, hasSpans, ['Duration', 'Self'], rules)})
    GROUP BY ${operationKey}`)
}

/** How long callers wait for those that may send no spans. */
function slowEdgesQuery(rules: ScreenRules): string {
  const isPeer = `Caller != '' AND Kind = 'peer'`
  return byService(`
    SELECT ${calls}, IsCompared AS IsTested, 0 AS Tests, 0 AS IsAnswering,
      ${timeTest('latency', 'Duration', rules)},
      arrayConcat(${slowOutcomesOf('latency', rules)}) AS Outcomes
    FROM ${comparedRows(isPeer)}
    WHERE ${edgeKey} IN (${slowNow(edgeKey, isPeer, ['Duration'], rules)})
    GROUP BY ${edgeKey}`)
}

/** Series of which enough calls took longer than what is slow at the least. */
function slowNow(key: string, condition: string, histograms: string[], { slowRules }: ScreenRules): string {
  const slow = histograms.map((column) => `sum(${countAbove(column, bucketOf('{slowFloorNs:Float64}'))})`)
  return `SELECT ${key} AS Key FROM ${statesIn('recent', condition)} GROUP BY Key
    HAVING greatest(${slow.join(', ')}, 0) / sum(Calls) >= ${Math.min(...slowRules.map(({ shareRiseMin }) => shareRiseMin))}`
}

/** One row of all services, from one row a series. */
function byService(series: string): string {
  return `
    SELECT sum(TestsOfService) AS tests, sum(CallsOfService) AS calls, sum(SuspiciousOfService) AS all,
      groupArrayIf(${servicesMax})((toString(Called), Suspicious), notEmpty(Suspicious)) AS suspicious,
      groupArrayIf(${servicesMax})(toString(Called), IsQuiet) AS quiet,
      groupArrayIf(${servicesMax})(toString(Called), NOT IsAnsweringAny) AS silent
    FROM (
      SELECT Called,
        max(IsAnswering) AS IsAnsweringAny,
        sumIf(Tests, IsTested) * if(IsAnsweringAny, 1, 2) AS TestsOfService,
        sum(n) AS CallsOfService,
        countIf(IsTested AND notEmpty(Outcomes)) AS SuspiciousOfService,
        groupArrayIf(${seriesOfServiceMax})((n, nBefore, Outcomes), IsTested AND notEmpty(Outcomes)) AS Suspicious,
        sum(nBefore) * {usualShare:Float64} >= {quietCallsMin:Float64} AND CallsOfService <= sum(nBefore) * {quietShare:Float64} AS IsQuiet
      FROM (${series})
      GROUP BY Called
    )`
}

function nameOf(test: ScreenedTest, rule = ''): string {
  return `${test.replaceAll('-', '_')}${rule}`
}

/** None or one outcome of a test whose counts have names. */
function outcomeOf(test: ScreenedTest, rule = ''): string {
  const name = nameOf(test, rule)
  return `if(${name}_could, [('${test}', ${name}, ${name}_before)], [])`
}

function slowOutcomesOf(test: ScreenedTest, { slowRules }: ScreenRules): string {
  return slowRules.map((_, rule) => outcomeOf(test, `_rule${rule}`)).join(', ')
}

/**
 * Bad calls counted. A test could be significant from one and a half deviations above the mean of the beta-binomial on: below,
 * its tail is never thin, unless nearly all calls were bad before and there is no room above.
 */
function shareTest(test: ScreenedTest, column: string): string {
  const name = nameOf(test)
  return `
    toInt64(sumIf(${column}, IsNow)) AS ${name}, toInt64(sumIf(${column}, NOT IsNow)) AS ${name}_before,
    ${name}_before * least(1, {trust:Float64} / nBefore) + 0.5 AS ${name}_a,
    (nBefore - ${name}_before) * least(1, {trust:Float64} / nBefore) + 0.5 AS ${name}_b,
    ${name} > 0 AND (${name}_b < 10 OR ${name} >= n * ${name}_a / (${name}_a + ${name}_b) + 1.5 * sqrt(
      n * ${name}_a * ${name}_b * (${name}_a + ${name}_b + n) / (pow(${name}_a + ${name}_b, 2) * (${name}_a + ${name}_b + 1)))) AS ${name}_could`
}

/** Slow calls by each rule, counted in histograms as `slowAbove` of the analyzer does. A rise that is too small is not tested. */
function timeTest(test: ScreenedTest, column: string, { slowRules }: ScreenRules): string {
  const name = nameOf(test)
  const byRule = (suffix: string, { quantile, factor, medianFactor, shareRiseMin }: SlowRule): string => `
    ${bucketOf(`greatest(${middleOf(name, quantile)} * ${factor}, ${middleOf(name, 0.5)} * ${medianFactor}, {slowFloorNs:Float64})`)} AS ${name}${suffix}_bucket,
    toInt64(${countAbove(`${name}_now`, `${name}${suffix}_bucket`)}) AS ${name}${suffix},
    toInt64(${countAbove(`${name}_usual`, `${name}${suffix}_bucket`)}) AS ${name}${suffix}_before,
    (${name}${suffix} - n * ${name}${suffix}_before / nBefore) / n >= ${shareRiseMin} AS ${name}${suffix}_could`
  return `
    sumMapIf(${column}, IsNow) AS ${name}_now, sumMapIf(${column}, NOT IsNow) AS ${name}_usual,
    mapKeys(${name}_usual) AS ${name}_buckets, arrayCumSum(mapValues(${name}_usual)) AS ${name}_sums,
    ${slowRules.map((rule, at) => byRule(`_rule${at}`, rule)).join(', ')}`
}

function bucketOf(ns: string): string {
  return `floor(log(${ns} + 1) / log(1.05))`
}

/** Calls in buckets above the given one. */
function countAbove(histogram: string, bucket: string): string {
  return `arraySum((k, v) -> if(k > ${bucket}, v, 0), mapKeys(${histogram}), mapValues(${histogram}))`
}

/** The middle of the bucket in which a quantile lies. */
function middleOf(name: string, quantile: number): string {
  return `(exp((${name}_buckets[arrayFirstIndex(c -> c >= ${quantile} * ${name}_sums[-1], ${name}_sums)] + 0.5) * log(1.05)) - 1)`
}
