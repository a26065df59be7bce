import { expect, test } from 'vitest'
import { startApp, startReceiver } from '../testing.ts'

const jobs = {
  cron: `
    import { CronJob } from 'cron'
    const job = new CronJob('0 3 * * *', work)
    run(() => job.fireOnTick())
  `,
  croner: `
    import { Cron } from 'croner'
    const job = new Cron('0 3 * * *', { paused: true }, work)
    run(() => job.trigger())
    job.stop()
  `,
  'node-cron': `
    import { schedule } from 'node-cron'
    const task = schedule('0 3 * * *', work)
    run(() => task.execute())
    task.stop()
  `,
  'node-schedule': `
    import schedule from 'node-schedule'
    const job = schedule.scheduleJob('0 3 * * *', '0 3 * * *', work)
    run(() => job.invoke())
    job.cancel()
  `,
}

test.each(Object.entries(jobs))(
  'a job of %s begins a run each time, also when it was scheduled in another',
  async (_name, source) => {
    const receiver = await startReceiver()
    const app = await startApp({
      source: `
      import { currentFlow, withFlow } from '@headwater/agent'
      const work = () => console.log(JSON.stringify(currentFlow()))
      const run = (due) => withFlow('scheduling', () => { due(); due() })
      ${source}
    `,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
      serves: false,
    })
    const runs = await receiver.wanted(2, ({ name }) => name.startsWith('cron'))
    for (const run of runs) {
      expect(run).toMatchObject({ name: 'cron 0 3 * * *', kind: 'INTERNAL', parentSpanId: undefined })
      expect(run.attributes).toMatchObject({ 'flow.id': run.traceId, 'flow.name': 'cron 0 3 * * *' })
    }
    await app.ended('SIGKILL')
    expect(
      app
        .stdout()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(runs.map(({ traceId }) => ({ id: traceId, name: 'cron 0 3 * * *' })))
  },
)
