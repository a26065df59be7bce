// A process of ours ends the same way whoever asks: its stations together, then what they stand on, last started first.

type Stop = () => Promise<void> | void

/** What to stop at the end. */
export interface Lifetime {
  /** A station ends together with the others, and is left behind when it takes longer than three seconds. */
  onStationEnd(name: string, stop: Stop): void
  /** What stations stand on ends after them. */
  onEnd(name: string, stop: Stop): void
  /** Stops everything; a second call waits for the first. */
  end(): Promise<void>
}

const stationsEndWithinMs = 3_000
const endWithinMs = 4_500

export function createLifetime(log: (line: string) => void): Lifetime {
  const stations: { name: string; stop: Stop }[] = []
  const grounds: { name: string; stop: Stop }[] = []
  let ending: Promise<void> | undefined

  async function end(): Promise<void> {
    await Promise.all(
      stations.map(async ({ name, stop }) => {
        const late = Promise.withResolvers<void>()
        const timer = setTimeout(() => {
          log(`Cannot stop ${name} within ${stationsEndWithinMs} ms: going on without it`)
          late.resolve()
        }, stationsEndWithinMs)
        await Promise.race([tryStop(name, stop), late.promise])
        clearTimeout(timer)
      }),
    )
    for (const { name, stop } of grounds.toReversed()) await tryStop(name, stop)
  }

  async function tryStop(name: string, stop: Stop): Promise<void> {
    try {
      await stop()
    } catch (error) {
      log(`Cannot stop ${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  return {
    onStationEnd(name, stop) {
      stations.push({ name, stop })
    },
    onEnd(name, stop) {
      grounds.push({ name, stop })
    },
    end: () => (ending ??= end()),
  }
}

/** Ends on SIGINT and SIGTERM, within five seconds; a second signal ends at once. */
export function endOnSignal(lifetime: Lifetime, log: (line: string) => void): void {
  let signals = 0
  const onSignal = (signal: NodeJS.Signals): void => {
    signals += 1
    if (signals > 1) process.exit(130)
    log(`${signal}: stopping`)
    const timer = setTimeout(() => process.exit(1), endWithinMs)
    timer.unref()
    void lifetime.end().then(() => process.exit(0))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
}
