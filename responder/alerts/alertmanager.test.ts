// A real Alertmanager takes what we post, and what it sends on is what we send in its name.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { fingerprint } from './formats/alertmanager.ts'
import { webhookForm } from './formats/test-published-forms.ts'
import { rehearse } from './rehearsal.ts'
import { testConfiguration } from './test-incidents.ts'
import { startReceiver } from './test-receiver.ts'

const program = ['prometheus-alertmanager', 'alertmanager'].find((name) => {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

const alertsForm = z.array(
  z.object({
    labels: z.record(z.string(), z.string()),
    annotations: z.record(z.string(), z.string()),
    fingerprint: z.string(),
    generatorURL: z.string(),
    status: z.object({ state: z.string() }),
  }),
)

test('a real Alertmanager takes an alert, sends it on, and ends it', async (context) => {
  if (program === undefined) context.skip('no Alertmanager on this machine: apt-get install prometheus-alertmanager')
  const directory = mkdtempSync(join(tmpdir(), 'headwater-alertmanager-'))
  const hook = await startReceiver()
  const port = await freePort()
  const file = join(directory, 'alertmanager.yml')
  writeFileSync(
    file,
    `route: { receiver: hook, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 1h }
receivers: [{ name: hook, webhook_configs: [{ url: '${hook.url}', send_resolved: true }] }]\n`,
  )
  const manager = spawn(
    program ?? '',
    [
      `--config.file=${file}`,
      `--storage.path=${directory}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    { stdio: 'ignore' },
  )
  const url = `http://127.0.0.1:${port}`
  try {
    const isReady = () =>
      fetch(`${url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      )
    await expect.poll(isReady, { timeout: 20_000, interval: 50 }).toBe(true)
    const configuration = testConfiguration({
      destinations: { am: { type: 'alertmanager', url } },
      routes: [{ name: 'all', to: ['am'] }],
    })
    const settings = { configuration, publicUrl: 'https://headwater.example.com' }
    const seen: z.infer<typeof alertsForm> = []
    const results = await rehearse(settings, {
      onResult: async ({ change }) => {
        if (change !== 'opened') return
        seen.push(...alertsForm.parse(await (await fetch(`${url}/api/v2/alerts`)).json()))
        await expect.poll(() => hook.received.length, { timeout: 20_000 }).toBe(1)
      },
    })
    expect(results.map(({ change, isTaken, says }) => [change, isTaken, says])).toEqual([
      ['opened', true, 'it answered 200'],
      ['resolved', true, 'it answered 200'],
    ])
    expect(seen).toMatchObject([
      {
        labels: { alertname: 'HeadwaterTest', severity: 'critical', service: 'payments' },
        annotations: {
          summary: 'payments POST /charge fails',
          incident_url: expect.stringContaining('/incidents/test-'),
        },
        status: { state: 'active' },
      },
    ])
    expect(seen[0]?.fingerprint).toBe(fingerprint(seen[0]?.labels ?? {}))
    await expect.poll(() => hook.received.length, { timeout: 20_000 }).toBe(2)
    // What Alertmanager sends is what our own messages in its form are checked against.
    const sent = hook.received.map(({ json }) => webhookForm.parse(json))
    expect(sent.map(({ status }) => status)).toEqual(['firing', 'resolved'])
    expect(alertsForm.parse(await (await fetch(`${url}/api/v2/alerts`)).json())).toEqual([])
  } finally {
    const ended = once(manager, 'exit')
    manager.kill('SIGKILL')
    await ended
    await hook.close()
    rmSync(directory, { recursive: true, force: true })
  }
}, 60_000)
