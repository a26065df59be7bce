import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { run } from './testing.ts'

const directory = mkdtempSync(join(tmpdir(), 'headwater-cli-'))
const dataDir = join(directory, 'data')
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** One line on stderr, nothing on stdout, exit code 1. */
async function refusal(args: string[], settings: Record<string, string>): Promise<string> {
  const { code, stdout, stderr } = await run(args, { HEADWATER_DATA: dataDir, ...settings })
  expect({ code, stdout, lines: stderr.trimEnd().split('\n').length }).toEqual({ code: 1, stdout: '', lines: 1 })
  return stderr
}

test.each([
  ['HEADWATER_PORT', '80x', '"80x"', 'set a port from 1 to 65535, or 0'],
  ['HEADWATER_OTLP_PORT', '65536', '"65536"', 'give a port from 1 to 65535, or 0'],
  ['HEADWATER_HOST', '0.0.0.0', '"0.0.0.0"', 'set HEADWATER_TOKEN'],
  ['HEADWATER_RETENTION', 'forever', '"forever"', 'give days, such as 30'],
  ['HEADWATER_DISK_MAX', '20 pounds', '"20 pounds"', 'give a size such as 20GB'],
  ['HEADWATER_CORS_ORIGINS', 'shop', '"shop"', 'give origins between commas'],
  ['CLICKHOUSE_URL', 'tcp://u:hunter2@h:9000', 'its value is not shown', 'give an HTTP URL'],
  ['DATABASE_URL', 'mysql://u:hunter2@h', 'its value is not shown', 'give a PostgreSQL URL'],
])('%s=%s is refused by name, with its value and what to do', async (name, value, shown, mend) => {
  const line = await refusal(['up'], { [name]: value })
  expect(line).toContain(name)
  expect(line).toContain(shown)
  expect(line).toContain(mend)
  expect(line).not.toContain('hunter2')
})

test.each(['up', 'alert test'])('%s refuses a file of alerts by its place, and shows no secret', async (command) => {
  const file = join(directory, 'alerts.yaml')
  writeFileSync(file, 'destinations: { pager: { type: pagerduty, routing_key: hunter2 } }')
  expect(await refusal(command.split(' '), { HEADWATER_ALERTS: file })).toBe(
    `headwater: Cannot use ${file}: destinations.pager.routing_key (its value is not shown) cannot be used: ` +
      'give the 32 characters of the integration key\n',
  )
})

test('alerts says how to set them up', async () => {
  expect(await refusal(['alerts'], {})).toBe(
    'headwater: Cannot find the alerts: set HEADWATER_ALERTS to a YAML file of destinations and routes\n',
  )
})

test('a data directory that cannot be one is refused by name', async () => {
  const file = join(directory, 'file')
  writeFileSync(file, '')
  expect(await refusal(['up'], { HEADWATER_DATA: file })).toContain(
    `Cannot make the data directory ${file}: set HEADWATER_DATA`,
  )
})

test('servers that do not answer are named, without their passwords', async () => {
  const servers = {
    CLICKHOUSE_URL: 'http://default:hunter2@127.0.0.1:9/headwater',
    DATABASE_URL: 'postgres://headwater:hunter2@127.0.0.1:9/headwater',
  }
  for (const command of ['collector', 'migrate']) {
    const line = await refusal([command], servers)
    expect(line).toMatch(/Cannot prepare (ClickHouse at http|PostgreSQL at postgres):\/\/127\.0\.0\.1:9\/headwater/)
    expect(line).toContain('ECONNREFUSED')
    expect(line).not.toContain('hunter2')
  }
})

test.each(['collector', 'analyzer', 'api', 'migrate', 'alert log'])(
  '%s says where to get engines when none run',
  async (command) => {
    expect(await refusal(command.split(' '), {})).toBe(
      `headwater: Cannot find the engines: nothing runs in ${dataDir}. Start \`headwater up\` there, ` +
        'or set CLICKHOUSE_URL and DATABASE_URL to servers\n',
    )
  },
)

test('explain says where to ask when nothing runs', async () => {
  expect(await refusal(['explain', 'a'.repeat(32)], {})).toContain('Start `headwater up` there, or give --url')
  expect(await refusal(['explain', 'a'.repeat(32), '--url', 'nonsense'], {})).toContain('--url is "nonsense"')
  const elsewhere = ['--url', 'http://127.0.0.1:9']
  expect(await refusal(['explain', '--from', '2026-01-31T12:00:00Z', ...elsewhere], {})).toContain(
    'go together: give both',
  )
  expect(await refusal(['explain', '--baseline-to', '2026-01-31T12:00:00Z', ...elsewhere], {})).toContain(
    'go with --from',
  )
})

test('doctor finds that nothing runs, and says how to mend it', async () => {
  const { code, stdout } = await run(['doctor', '--json'], { HEADWATER_DATA: dataDir })
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toEqual({
    findings: [
      expect.objectContaining({ check: 'node', status: 'good' }),
      expect.objectContaining({ check: 'process', status: 'bad', mend: expect.stringContaining('headwater up') }),
    ],
  })
})

test('a Node that is too old is told so in one line', async (context) => {
  const old = oldNode()
  if (old === undefined) context.skip('no Node older than 22.18 on this machine')
  const { code, stdout, stderr } = await run(['up'], { HEADWATER_DATA: dataDir }, old)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^headwater needs Node 22\.18 or newer, this is .*\n$/)
})

function oldNode(): string | undefined {
  const candidates = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'node'))
  return candidates.find((path) => {
    try {
      const [major = 0, minor = 0] = execFileSync(path, ['--version'], { encoding: 'utf8' })
        .slice(1)
        .split('.')
        .map(Number)
      return major < 22 || (major === 22 && minor < 18)
    } catch {
      return false
    }
  })
}

test('help names every command, every setting, and the first steps', async () => {
  const { code, stdout } = await run(['--help'])
  expect(code).toBe(0)
  for (const command of ['up', 'collector', 'analyzer', 'api', 'alerts', 'alert', 'migrate', 'explain', 'doctor'])
    expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'))
  for (const setting of settingsRead()) expect(stdout).toContain(setting)
  expect(stdout).toContain('node --import @headwater/agent/register app.js')
})

/** Settings that the sources of the server side mention. */
function settingsRead(): string[] {
  return ['.', '../store', '../collector', '../api', '../responder/alerts'].flatMap((folder) => {
    const path = join(import.meta.dirname, folder)
    const sources = readdirSync(path).filter((file) => file.endsWith('.ts') && !/test/.test(file))
    return sources.flatMap((file) => [
      ...(readFileSync(join(path, file), 'utf8').match(/\b(HEADWATER_[A-Z_]+|CLICKHOUSE_URL|DATABASE_URL)\b/g) ?? []),
    ])
  })
}

test.each([
  [['up', '--help'], 'HEADWATER_OTLP_PORT'],
  [['explain', '--help'], 'x-flow-id'],
  [['doctor', '--help'], '--json'],
  [['migrate', '--help'], 'idempotent'],
])('%s teaches', async (args, text) => {
  const { code, stdout } = await run(args)
  expect(code).toBe(0)
  expect(stdout).toContain(text)
})

test('an unknown command is refused with the help', async () => {
  const { code, stderr } = await run(['explian'])
  expect(code).toBe(1)
  expect(stderr).toContain("unknown command 'explian'")
  expect(stderr).toContain('Usage: headwater')
})
