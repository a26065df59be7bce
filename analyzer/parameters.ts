// The numbers that the analyzer decides by, in one place, the same for all systems. Not here is what others decide: the store, beside its
// SQL, whom an incident hits (impact.ts, going-without.ts) and how many logs are read (log-patterns.ts); the API, how one run is
// explained (explain.ts). Nor is what an algorithm needs to be computed at all (series/, stats/), how much is told, and which part of
// what is seen an onset has to have (onset.ts).

export const parameters = {
  /**
   * A window is judged once it ended so long ago: settling waits for 5 s of quiet, and our agents send every second. Of what
   * comes from exporters that send every 5 s, as they do by default, the end of a window is judged with the next one.
   */
  lagMs: 7_000,
  /** Windows are judged in steps of one window of the finer states. */
  stepMs: 10_000,
  /**
   * While an incident could be beginning, in half steps. It could where a test tells more than chance would in all tests of so
   * many steps, by so many bad calls.
   */
  early: { stepMs: 5_000, oncePerSteps: 20, badCallsMin: 2 },
  /** What counts as now. */
  recentMs: 30_000,
  /** Between now and the baseline: a fault that has just begun must not become normal. */
  gapMs: 10_000,
  /** How far back normal is looked for. */
  baselineMs: 50 * 60_000,
  /** Where the last hour knows little, the day before is added. */
  longBaselineMs: 24 * 3_600_000,
  /** Fewer calls in the last hour than this, over all series, count as little. */
  baselineCallsMin: 2_000,
  /** A series is judged by its own past of at least so many calls. */
  seriesCallsMin: 8,
  /** False discovery rate over all series of a step (Benjamini & Hochberg). */
  falseDiscoveryRate: 0.001,
  /** Of the calls before, so many count as evidence at most: those of one series are alike. */
  trustedCalls: 400,
  /** Bad calls below this are never a finding. */
  badCallsMin: 4,
  /** The share of bad calls has to rise by this. */
  shareRiseMin: 0.08,
  /** A call is slow above a multiple of a high quantile and of the median. The tail tells of a few very slow calls … */
  slowTail: { quantile: 0.99, factor: 1.5, medianFactor: 2.5, shareRiseMin: 0.08 },
  /** … the bulk of most calls being slower, which a baseline with a few slow calls would hide. */
  slowBulk: { quantile: 0.9, factor: 1.25, medianFactor: 2.5, shareRiseMin: 0.3 },
  /** Before so much is known of a system, nobody can tell what is slow in it: it has just been started, as often as not. */
  slowBaselineMs: 75_000,
  /** Whether everything is slower: told by so many places, each with so many calls. */
  commonSlowdown: { placesMin: 5, callsMin: 10, factorMax: 2 },
  /** Nobody notices less than a tenth of a second (Nielsen, Usability Engineering, 1993, §5.5). */
  slowFloorNs: 100_000_000,
  /** Silence: at least so many calls were due … */
  silenceCallsMin: 12,
  /** … and at most this share of them came … */
  silenceShareMax: 0.25,
  /** … with a chance below this. */
  silencePValueMax: 1e-6,
  /** However active its neighbours are, this many times the usual calls are due at most. */
  silenceActivityMax: 1.5,
  /** Small effects that last. */
  lasting: {
    /** Judged every minute, over so many whole minutes, each of which has to agree … */
    minutes: 3,
    /** … with a chance below this, where all of them together stay below that. */
    minutePValueMax: 0.05,
    pValueMax: 1e-5,
    /** … and the last one is so much as bad as all of them. */
    goesOnMin: 0.5,
    /** At least so many calls over these minutes, and so many before. */
    callsMin: 60,
    baselineCallsMin: 100,
    /** The share of bad calls rises by this, the share of slow ones by that. */
    shareRiseMin: 0.02,
    slow: { quantile: 0.99, factor: 1.25, medianFactor: 1.25, shareRiseMin: 0.05 },
    slowFloorNs: 25_000_000,
    /** Calls have ceased when so many were due, at most this share of them is made, and chance would do so less often than that; */
    ceased: { dueMin: 30, shareMax: 0.5, pValueMax: 1e-8, minuteDueMin: 8, minuteShareMax: 0.7 },
    /** Where each success has made the call, in each of so many usual minutes, less says so: work is left out. */
    leftOut: { ratioMin: 0.97, minutesMin: 4, shareMax: 0.8, minuteShareMax: 0.9 },
    /** Calls that in no usual minute were fewer than this part of what is usual vary less: the size of the negative binomial. */
    steady: { partMin: 0.9, dispersion: 400 },
  },
  /** What departs from the last hour, and is usual at this time of day, opens nothing. */
  sameTime: {
    /** So many days are compared, of the kind of this one (weekday or weekend) where enough of these are known … */
    days: 7,
    /** … not longer ago than this … */
    withinDays: 28,
    /** … and of each the minutes so long before and after the time of day. */
    aroundMinutes: 5,
    /** A day is told by the worst of its stretches of one of these lengths, the shortest first. */
    stretchMinutes: [1, 2, 3, 5, 11],
    /** A day that is as ever departs less often than this, over all of its stretches. */
    dayPValueMax: 0.01,
    /** Usual is what at least so many days show, this part of those that are known … */
    daysMin: 3,
    shareMin: 0.7,
    /** … as long as now is not clearly worse than so many of them: a single bad day excuses nothing. */
    asMuchMin: 2,
    /** Clearly worse: chance would do so less often than this, and the share of bad calls is higher by as much as makes a finding … */
    worsePValueMax: 0.01,
    /** … or half of the slow calls take more than this many times as long. */
    slowerFactor: 1.5,
    /** The largest findings of a step are compared; the others of a group are as these are. */
    findingsMax: 500,
  },
  /** Flows, each by what is usual at this time of its week: what is missing, and what has grown too slowly for an hour to show. */
  seasons: {
    /** Points of a series are of so much time, as those that `series` was fixed on; the last one is judged every minute. */
    slotMs: 5 * 60_000,
    /** So much of the past is read at start, in pieces of so much, one each step. */
    pastMs: 15 * 24 * 3_600_000,
    pieceMs: 6 * 3_600_000,
    /** The busiest entries, by a minute of each of the last hours; they are chosen anew each hour. */
    flowsMax: 50,
    chosenByHours: 24,
    chosenForMs: 3_600_000,
    /** Nothing is said before so many days of this kind, weekday or weekend, are known. */
    week: { slotMs: 5 * 60_000, days: 7, daysMin: 3, slotsAround: 2 },
    /** Residuals of about a week. */
    tail: { size: 2_016, tailFrom: 0.9, countMin: 20 },
    /** What a series was like in the last half day does not widen what is usual of it. */
    delayPoints: 144,
    /** False discovery rate over all series of a minute; there are many minutes. */
    falseDiscoveryRate: 1e-4,
    /** −log10 of the chance that the time of the week alone gives to what is told. */
    seasonSurpriseMin: 2,
    /** A departure is told once it has lasted for so long beyond its first slot … */
    lastsMs: 5 * 60_000,
    /** … and learned once it has for so long. */
    holdMs: 6 * 3_600_000,
    /** Of fewer calls in a slot neither failures nor times are judged. */
    callsMin: 30,
    traffic: { dueMin: 60, shareMax: 0.5, pValueMax: 0.01 },
    errors: { shareRiseMin: 0.02, pValueMax: 1e-5 },
    latency: { factorMin: 1.25, riseMinNs: 25_000_000 },
  },
  /** Counts of calls vary more than by chance alone: the size of the negative binomial. */
  callsDispersion: 20,
  /** A slow call weighs as much as a failed one when its excess reaches this. */
  slowWeightNs: 150_000_000,
  /** Findings below this p-value open an incident at once; others have to last for two steps. */
  certainPValue: 1e-8,
  /** Without a suspect, what users see has to last for so many windows of ten seconds to open an incident. */
  unexplainedWindows: 3,
  /** Who is to blame is judged over so much of an incident's last time. */
  blameMs: 5 * 60_000,
  /** A run is slow when it takes so many times the usual 99th percentile of its entry. */
  slowRunFactor: 1.25,
  /** An incident closes after so many quiet steps. */
  quietStepsToClose: 3,
  /** Who comes back with the same cause within so long after it was resolved is the same incident. */
  reopenWithinMs: 15 * 60_000,
  /** An incident that somebody resolved opens again when a known anomaly is so many times as bad as then. */
  worseFactor: 2,
  /** Runs that did not come, told of flows that begin where an open incident is. */
  missing: {
    /** How many are due is told by the latest usual minutes before the onset, at least so many … */
    minutesMin: 4,
    levelMinutes: 10,
    /** … and how much that varies by all of so long, as if so many further minutes varied as calls do elsewhere (`callsDispersion`). */
    pastMs: 30 * 60_000,
    priorMinutes: 1,
    /** So long after the onset the load before it says little. */
    horizonMs: 30 * 60_000,
    /** Less is too short a time, and what came last is still on its way. */
    timeMinMs: 30_000,
    onItsWayMs: 5_000,
    /** At least so many runs were due, at least this share of them is missing, and chance would do so less often than that. */
    dueMin: 30,
    shareMin: 0.1,
    pValueMax: 0.001,
    /** A share from which on somebody wants to know why it cannot be told. */
    unknownShareMin: 0.25,
    /** Flows that the incident does not touch tell how the load changes, where together they have so many runs a minute. */
    untouchedRunsMin: 30,
    /** So many users who leave at the same time are no fault of anybody's. */
    usersLeftMax: 3,
    /** A flow that was this part of what it is now has a new name, and explains what is missing when it has so much of that. */
    newPartMax: 0.1,
    newShareMin: 0.2,
    /** Of collectors that lose or refuse more spans than this nobody can tell. */
    lostShareMax: 0.01,
  },
  /** How far before its onset a change can be to blame … */
  changeBeforeMs: 30 * 60_000,
  /** … and how far back a version is looked for, to be no news. */
  versionsBeforeMs: 2 * 3_600_000,
  /** Causes below this share of the weights of all suspects are not told. */
  causeScoreMin: 0.03,
  causesMax: 5,
  /** How often a cause lies among what is measured at all: nobody is surer than that. */
  confidenceMax: 0.95,
  /** What may as well be chance has a weight as uncertain as it is large: of a smaller score than this, so many standard deviations. */
  weightScoreMin: 1,
  /** Of all that a group calls, so many services are looked at for the cause: the nearest. The others are counted as left out. */
  servicesBelowMax: 200,
  /** Who depends on the cause in fewer of its calls is not told; so many calls one below the other are followed, and so many edges looked at. */
  atRisk: { shareMin: 0.01, depthMax: 16, edgesMax: 100_000 },
  /** Whom to blame, once it is known that something is wrong: finer than what may raise an alarm. */
  blame: {
    /** A call is slower than one of before when it takes this many times as long. */
    slowFactor: 1.5,
    /** Less is chance. */
    pValueMax: 0.005,
    /** At least so many calls now, and so many before. */
    callsMin: 2,
    baselineCallsMin: 8,
    /** Failed calls beyond the expected … */
    badCallsMin: 3,
    /** … and the share by which bad calls of a series rise. */
    shareRiseMin: 0.1,
    /** An operation makes so many times as many calls to a callee for each of its own. */
    fanOutFactor: 1.5,
    /** This many times is no asking again of who got no answer: it overloads who is asked. */
    fanOutCertain: 5,
    /** … and these take at least this part of the time by which it is slower. */
    fanOutTimeMin: 0.5,
    /** A service that stands still: so few calls at least take so much longer, with a chance below this. Of what its callers lose, so much is its doing. */
    stall: {
      rule: { quantile: 0.99, factor: 3, medianFactor: 10, shareRiseMin: 0.01 },
      floorNs: 100_000_000,
      callsMin: 4,
      pValueMax: 1e-3,
      passedOn: 0.8,
    },
    /** A cache is asked in so much of an operation's calls, so many times as often as who stands behind it, and about as ever. */
    cache: { askedMin: 0.5, askedRatioMin: 2, changeMax: 0.25 },
    /** Bad calls count over all calls to this power: between 1, a share, which favours rare calls, and 0, which favours busy ones. */
    callsExponent: 0.7,
    /**
     * A line of log counts when the share of spans that have it changes by this, with a chance below that: there are many lines.
     * What is usual is the median over windows. Lines that are no errors count less: trouble elsewhere changes what is said, too.
     */
    logs: { shareChangeMin: 0.2, pValueMax: 1e-5, spansMin: 5, windowMs: 5 * 60_000, otherLinesWeight: 0.7 },
    /** Who is slower by less than this part of the time by which the slowest is counts for less. */
    slowTimeMin: 0.1,
    /** How far slowness elsewhere explains a service's errors: it makes calls time out, and errors slow down nobody. */
    errorsExplained: 0.5,
  },
  /** What tells bad calls from good ones. */
  attributes: {
    /** Values of so many attributes at most do harm together; so many conditions are tried with one value more. */
    lengthMax: 3,
    beamMax: 20,
    /** Calls without it are less often bad, by so much at least and with a chance below this. */
    shareRiseMin: 0.3,
    pValueMax: 1e-3,
  },
  /** Which runs are played again without a suspect. */
  replay: {
    /** So many runs that went wrong, chosen by chance: their share is told within 14 points … */
    runsMax: 50,
    /** … of which so many at least, and this part of them, have all of their calls. */
    runsMin: 5,
    wholeShareMin: 0.8,
    /** Suspects of whom it is told. */
    suspectsMax: 3,
  },
  /** Where only sums per interval are known, and no call by itself. */
  aggregates: {
    /** An entry breaches when chance would do this less often, over all runs of intervals since the alert. */
    breachPValueMax: 0.05,
    /** False discovery rate over the components where one breaches: there is no doubt any more that something is wrong. */
    falseDiscoveryRate: 0.05,
    /** Standard deviation of the time of a call relative to its mean: 1 is that of an exponential one. */
    callVariation: 1,
    /** How much an interval's mean time usually differs from the last, relative to it … */
    usualScale: 0.1,
    /** … which is worth so many intervals of a component's own past. */
    usualScaleIntervals: 20,
    /** By how much, relative to it, a component's usual time moves within weeks … */
    levelDrift: 0.2,
    /** … and never by more than this factor. */
    levelRatioMax: 2,
    /** Calls of long ago are worth at most so many of the last hour. */
    earlierCallsMax: 400,
    /** The past is narrowed to so long before and after the time of day, where it has so many intervals then. */
    timeOfDay: { withinMs: 3_600_000, intervalsMin: 40 },
    /** A component was silent in less than this part of its past, else silence tells nothing. */
    silentBeforeMax: 0.01,
  },
  /** A series of numbers over minutes or hours, point by point. */
  series: {
    /** The level is the median of so many last points … */
    levelPoints: 30,
    /** … and of not fewer than this. */
    levelPointsMin: 11,
    /** What is usual at a time of day. */
    day: { slotMs: 5 * 60_000, days: 7, daysMin: 2, slotsAround: 2 },
    /** Drift: the sum of departures beyond one deviation from the median of so many points. */
    drift: { points: 500, allowance: 1, deviationsMax: 4, pointsMin: 20 },
    /** How surprising a residual is: of so many, counted up to the quantile, and a fitted tail beyond. */
    tail: { size: 4_000, tailFrom: 0.9, countMin: 20 },
    /** Surprise is news while none of so many last points was as surprising. */
    newsPoints: 100,
    /** Orders of magnitude, summed over the views, from which on a point is unusual. */
    unusualSurprise: 7.25,
    /** Until it is measured, views are taken as independent; this counts as so many points. */
    independentViews: { views: 3, points: 20 },
    /** Many series of one thing, judged together. */
    joint: {
      day: { slotMs: 5 * 60_000, days: 7, daysMin: 1, slotsAround: 2 },
      /** What training shows before is not yet a measure. */
      warmUpMs: 2 * 24 * 3_600_000,
      /** Distances of training that are kept … */
      trainingPoints: 20_000,
      /** … and the quantile of them above which a distance is unusual. */
      trainingQuantile: 0.98,
      /** The distance is a mean over so many points. */
      smoothPoints: 5,
      /** Deviations beyond this do not widen what is usual. */
      deviationsMax: 2,
      /** So many usual points end what is unusual. */
      holdPoints: 10,
    },
  },
} as const
