// A process of ours ends the same way whoever asks: stations in reverse order of their start, then the exit code.

/** Things to stop, last started first. */
export interface Lifetime {
  onEnd(name: string, stop: () => Promise<void> | void): void
  /** Stops everything; a second call waits for the first. */
  end(): Promise<void>
}

const endWithinMs = 4_500

export function createLifetime(log: (line: string) => void): Lifetime {
  const stops: { name: string; stop: () => Promise<void> | void }[] = []
  let ending: Promise<void> | undefined
  return {
    onEnd(name, stop) {
      stops.push({ name, stop })
    },
    end() {
      ending ??= (async () => {
        for (const { name, stop } of stops.toReversed()) {
          try {
            await stop()
          } catch (error) {
            log(`Cannot stop ${name}: ${error instanceof Error ? error.message : String(error)}`)
          }
        }
      })()
      return ending
    },
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
