// The faults of ingest, each many times under load: `npm run test:faults`. They take more than an hour and are no part of
// `npm test`. HEADWATER_FAULT_TIMES says how often each happens (20), HEADWATER_FAULT_STALL_S how long ClickHouse stands
// still (60). A line for each fault goes to stderr.
import { defineConfig, mergeConfig } from 'vitest/config'
import ordinary from './vitest.config.ts'

const hourMs = 3_600_000

export default mergeConfig(
  { ...ordinary, test: { ...ordinary.test, include: [], exclude: ['**/node_modules/**', '**/dist/**'] } },
  defineConfig({
    test: {
      include: ['collector/faults/*.faults.test.ts'],
      // One Headwater at a time: faults are to be met under load, not under want of a processor.
      fileParallelism: false,
      testTimeout: 2 * hourMs,
      hookTimeout: 300_000,
    },
  }),
)
