// Runs and their calls somewhat beyond a range: a run has several traces, and messages wait.

const othersWithinMs = 5 * 60_000

/** Rows of runs whose traces ended up to so long before or after the range. */
export const tracesAround = `chain_execution_traces
  WHERE EndedAt >= fromUnixTimestamp64Milli({from:Int64} - ${othersWithinMs}) AND EndedAt < fromUnixTimestamp64Milli({to:Int64} + ${othersWithinMs})
    AND StartedAt >= fromUnixTimestamp64Milli({from:Int64} - ${othersWithinMs}) - toIntervalDay(1)
    AND StartedAt < fromUnixTimestamp64Milli({to:Int64} + ${othersWithinMs})`

/** Calls that ended up to so long before or after the range. */
export const callsAround = `chain_dependency_events
  WHERE Time >= fromUnixTimestamp64Milli({from:Int64} - ${othersWithinMs}) AND Time < fromUnixTimestamp64Milli({to:Int64} + ${othersWithinMs})`

/** Whether a run ended in one of the stretches that are asked about. */
export const endedInStretches = `arrayExists(t -> RunEnd >= fromUnixTimestamp64Milli(t.1) AND RunEnd < fromUnixTimestamp64Milli(t.2), {stretches:Array(Tuple(Int64, Int64))})`
