import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type Reporter, type TestModule, type TestSpecification } from 'vitest/node'

/** The closing line that continuous integration reads: `N passed, N failed, N skipped`. */
const closingLine: Reporter = {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      if (module.state() === 'failed' && module.errors().length > 0) counts.failed += 1
      for (const test of module.children.allTests()) counts[test.result().state] += 1
    }
    process.stdout.write(
      `\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped + counts.pending} skipped\n`,
    )
  },
}

/** What takes longest, the longest first: began late, one of these would run alone at the end. */
const longest = [
  'examples/fleet/woken.test.ts',
  'analyzer/step.test.ts',
  'analyzer/dirt.test.ts',
  'collector/trouble.test.ts',
  'agent/capture/amqplib.test.ts',
  'cli/up.test.ts',
  'agent/matrix.test.ts',
  'agent/capture/on-load.test.ts',
  'agent/tracing.test.ts',
  'analyzer/start.test.ts',
  'responder/alerts/responder.test.ts',
  'cli/doctor-service.test.ts',
  'agent/capture/bullmq.test.ts',
  'agent/trouble.test.ts',
  'agent/hostile.test.ts',
  'store/settle.test.ts',
  'store/embedded/engines.test.ts',
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = longest.findIndex((name) => moduleId.endsWith(`/${name}`))
      return at === -1 ? longest.length : at
    }
    // oxlint-disable-next-line unicorn/no-array-sort -- no array's: the order that vitest would take
    const ordinary = await super.sort(files)
    return ordinary.toSorted((a, b) => rank(a) - rank(b))
  }
}

export default defineConfig({
  test: {
    // The embedded ClickHouse does not live in worker threads.
    pool: 'forks',
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', '**/*.faults.test.ts'],
    // Tests often wait for their processes, so that even two cores have work for three; the default would be one.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    sequence: { sequencer: LongestFirst },
    globalSetup: ['vitest.compile-cache.ts'],
    setupFiles: ['vitest.properties.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['default', closingLine],
  },
})
