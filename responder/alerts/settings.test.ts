import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { AlertsRefused, parseConfiguration, readAlertSettings } from './settings.ts'
import { testSecret } from './test-incidents.ts'

const directory = mkdtempSync(join(tmpdir(), 'headwater-alerts-'))
afterAll(() => rmSync(directory, { recursive: true }))

const read = (text: string, env = {}) => parseConfiguration(text, { path: 'alerts.yaml', env })
const refusal = (text: string, env = {}): string => {
  try {
    read(text, env)
  } catch (error) {
    if (error instanceof AlertsRefused) return error.message
    throw error
  }
  return 'taken'
}

test("the README's file is understood", () => {
  const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
  const [, yaml = ''] = /```yaml\n([^]*?)```/.exec(readme) ?? []
  const env = { PAGERDUTY_KEY: 'a'.repeat(32), SLACK_PATH: 'T0/B0/x', HOOK_SECRET: testSecret, PING: 'uuid' }
  const file = read(yaml, env)
  expect(Object.keys(file.destinations)).toEqual(['oncall', 'team', 'bridge', 'am', 'chat'])
  expect(file.routes.map(({ name }) => name)).toEqual(['wake-somebody', 'payments', 'rest'])
})

test('a whole file is understood', () => {
  const file = read(
    `
destinations:
  oncall: { type: pagerduty, routing_key: "\${PAGER_KEY}" }
  team: { type: slack, url: "https://hooks.slack.com/services/\${SLACK_PATH}", rate: 1/s }
  audit:
    type: webhook
    url: https://audit.example.com/hook
    secrets: ["\${NEW_SECRET}", "${testSecret}"]
    give_up_after: 3d
    private: false
  am: { type: alertmanager, url: "http://alertmanager:9093" }
  chat: { type: json, url: "https://chat.example.com", template: { text: "{{headline}} {{link}}" } }
routes:
  - name: nights
    match: { severity: critical, services: [shop, pay-*] }
    to: [oncall, team]
  - name: rest
    to: [team, chat]
    group_by: service
    wait: 1m
    update_every: 15m
maintenance:
  - { name: upgrade, services: [db], from: "2026-12-24T22:00:00Z", until: "2026-12-25T02:00:00Z" }
  - { name: backup, weekly: { days: [sun], from: "02:00", until: "03:00", zone: Europe/Berlin } }
heartbeat: { url: "https://hc-ping.com/\${PING}", every: 1m }
`,
    { PAGER_KEY: 'e93facc04764012d7bfb002500d5d1a6', SLACK_PATH: 'T0/B0/x', NEW_SECRET: testSecret, PING: 'uuid' },
  )
  expect(file.destinations['team']).toEqual({
    type: 'slack',
    url: 'https://hooks.slack.com/services/T0/B0/x',
    rate: { messages: 1, perMs: 1_000 },
    private: true,
    give_up_after: 86_400_000,
  })
  expect(file.destinations['audit']).toMatchObject({ private: false, give_up_after: 3 * 86_400_000, headers: {} })
  expect(file.routes[1]).toMatchObject({ group_by: 'service', wait: 60_000, update_every: 900_000, match: {} })
  expect(file.heartbeat).toMatchObject({ url: 'https://hc-ping.com/uuid', every: 60_000 })
})

test.each([
  [
    'destinations: {x: {type: slak}}',
    'destinations.x.type is "slak": use webhook, slack, pagerduty, alertmanager, alertmanager-webhook or json as its type',
  ],
  ['destinations: {x: {type: slack}}', 'destinations.x.url is missing: give an http or https URL'],
  [
    'destinations: {x: {type: slack, url: "ftp://hunter2@x"}}',
    'destinations.x.url (its value is not shown) cannot be used: give an http or https URL',
  ],
  ['destinations: {x: {type: slack, url: http://x, rate: 9}}', 'destinations.x.rate is 9: give a rate such as 30/m'],
  [
    'destinations: {x: {type: slack, url: http://x, chanel: y}}',
    'destinations.x.chanel is unknown: leave it out, or see whether it is misspelt',
  ],
  [
    'destinations: {"x y": {type: slack, url: http://x}}',
    'the name destinations.x y cannot be used: use a name of letters, digits, "-" and "_", at most 63',
  ],
  [
    'destinations: {x: {type: pagerduty, routing_key: hunter2}}',
    'destinations.x.routing_key (its value is not shown) cannot be used: give the 32 characters of the integration key',
  ],
  [
    'destinations: {x: {type: webhook, url: http://a, secrets: [hunter2]}}',
    'destinations.x.secrets[0] (its value is not shown) cannot be used: give whsec_ and 24 to 64 bytes in base64, such as "whsec_$(openssl rand -base64 32)" prints',
  ],
  [
    'destinations: {x: {type: webhook, url: http://a}}',
    'destinations.x.secrets is missing: give a list of secrets, the new one first while receivers change over',
  ],
  [
    'destinations: {x: {type: alertmanager, url: http://a, headers: {Webhook-Id: x}}}',
    'destinations.x.headers (its value is not shown) cannot be used: leave out webhook-…, content-…, host, transfer-… and connection: these are set by Headwater',
  ],
  [
    'destinations: {x: {type: json, url: http://a, template: "{{titel}}"}}',
    '{{titel}} is unknown: use id, thread, change',
  ],
  ['routes: [{name: a, to: [b]}]', 'routes[0].to[0] is "b": use one of the destinations: none is given'],
  [
    'destinations: {x: {type: slack, url: http://x}}\nroutes: [{name: a, to: [x]}, {name: a, to: [x]}]',
    'routes[1].name is "a": give each route a name of its own',
  ],
  [
    'destinations: {x: {type: alertmanager, url: http://x}}\nroutes: [{name: a, to: [x], group_by: all}]',
    'routes[0].to[0] is "x": give it a route without group_by: Alertmanager groups by itself',
  ],
  [
    'destinations: {x: {type: slack, url: http://x}}\nroutes: [{name: a, to: [x], match: {severity: bad}}]',
    'routes[0].match.severity is "bad": use info, warning, error, critical',
  ],
  [
    'destinations: {x: {type: slack, url: http://x}}\nroutes: [{name: a, to: [x], wait: 2h}]',
    'routes[0].wait is "2h": give a time such as 0s, at most 1h',
  ],
  [
    'maintenance: [{name: a, from: "2026-01-01T00:00:00Z"}]',
    'maintenance[0] cannot be used: give both from and until, or weekly',
  ],
  [
    'maintenance: [{name: a, from: "2026-01-02T00:00:00Z", until: "2026-01-01T00:00:00Z"}]',
    'maintenance[0] cannot be used: give an until that is after from',
  ],
  [
    'maintenance: [{name: a, weekly: {days: [mon], from: "25:00", until: "03:00"}}]',
    'maintenance[0].weekly.from is "25:00": give a time of day such as "02:00"',
  ],
  [
    'maintenance: [{name: a, weekly: {days: [mon], from: "02:00", until: "03:00", zone: Mars}}]',
    'maintenance[0].weekly.zone is "Mars": give a time zone such as Europe/Berlin',
  ],
  ['heartbeat: {url: http://a, every: 1s}', 'heartbeat.every is "1s": give 10s or more'],
  ['heartbeat: {url: "${NOWHERE}"}', 'heartbeat.url names the variable NOWHERE, which is not set: set it'],
  ['nonsense: 1', 'nonsense is unknown: leave it out, or see whether it is misspelt'],
  ['routes: 5', 'routes is 5: give a list of routes'],
  ['just a text', 'the file is "just a text"'],
])('%s is refused by its place, with its value and what to do', (text, told) => {
  expect(refusal(text)).toContain(`Cannot use alerts.yaml: `)
  expect(refusal(text)).toContain(told)
  expect(refusal(text)).not.toContain('hunter2')
})

test('what is not YAML is refused with its line, and nothing of the file is quoted', () => {
  const told = refusal('destinations:\n  x: {type: slack, url: "https://hunter2"\nroutes: []')
  expect(told).toMatch(/^Cannot use alerts\.yaml: it is not YAML: .* at line \d+, column \d+$/)
  expect(told).not.toContain('hunter2')
  expect(refusal('a: 1\na: 2')).toContain('Map keys must be unique')
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x,x]',
    ...'bcdefgh'
      .split('')
      .map((name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcdefg'[index]}`).join(',')}]`),
  ].join('\n')
  expect(refusal(bomb)).toContain('Excessive alias count')
})

test('without a file there are no alerts; with one there are, and links lead to the public address', () => {
  expect(readAlertSettings({})).toBeUndefined()
  expect(readAlertSettings({ HEADWATER_ALERTS: '' })).toBeUndefined()
  const path = join(directory, 'alerts.yaml')
  writeFileSync(path, 'destinations: {}')
  expect(readAlertSettings({ HEADWATER_ALERTS: path })?.publicUrl).toBe('http://localhost:8012')
  const settings = readAlertSettings({
    HEADWATER_ALERTS: path,
    HEADWATER_PUBLIC_URL: 'https://ops.example.com/headwater/',
  })
  expect(settings?.publicUrl).toBe('https://ops.example.com/headwater')
})

test('a file that cannot be read, and a public address that is none, are refused by name', () => {
  expect(() => readAlertSettings({ HEADWATER_ALERTS: join(directory, 'none.yaml') })).toThrow(
    /^Cannot read HEADWATER_ALERTS=".*none\.yaml": name a YAML file of destinations and routes$/,
  )
  expect(() => readAlertSettings({ HEADWATER_PUBLIC_URL: 'ops' })).toThrow(
    'Cannot use HEADWATER_PUBLIC_URL="ops": give the URL',
  )
  const large = join(directory, 'large.yaml')
  writeFileSync(large, '#'.repeat(300_000))
  expect(() => readAlertSettings({ HEADWATER_ALERTS: large })).toThrow('Cannot read HEADWATER_ALERTS')
})
