// Brokers for tests, each an instance of its own on free ports of loopback and in a directory of its own.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const redisServer = '/usr/bin/redis-server'
const rabbitMqServer = '/usr/lib/rabbitmq/bin/rabbitmq-server'
const epmd = '/usr/bin/epmd'

export const hasRedis = existsSync(redisServer)
export const hasRabbitMq = existsSync(rabbitMqServer) && existsSync(epmd)

export interface Broker {
  port: number
  /** Takes it down, with all that it has written. */
  stop(): Promise<void>
}

export async function startRedis(): Promise<Broker> {
  const [port = 0] = await freePorts(1)
  const directory = await mkdtemp(join(tmpdir(), 'headwater-redis-'))
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'no']
  const server = spawn(redisServer, flags, { stdio: ['ignore', 'pipe', 'inherit'] })
  await printed(server, 'Ready to accept connections')
  async function stop(): Promise<void> {
    await ended(server)
    await rm(directory, { recursive: true })
  }
  return { port, stop }
}

/** RabbitMQ, with an Erlang port mapper of its own, which would outlive it otherwise. */
export async function startRabbitMq(): Promise<Broker> {
  const [port = 0, distributionPort, mapperPort] = await freePorts(3)
  const directory = await mkdtemp(join(tmpdir(), 'headwater-rabbitmq-'))
  const pluginsFile = join(directory, 'enabled_plugins')
  await writeFile(pluginsFile, '[].')
  const env = {
    PATH: process.env['PATH'],
    LANG: 'C.UTF-8',
    HOME: directory,
    ERL_EPMD_PORT: String(mapperPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_CONFIG_FILE: join(directory, 'none'),
    RABBITMQ_NODENAME: `headwater-${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_MNESIA_BASE: directory,
    RABBITMQ_LOG_BASE: directory,
    RABBITMQ_LOGS: '-',
    RABBITMQ_PID_FILE: join(directory, 'pid'),
    RABBITMQ_ENABLED_PLUGINS_FILE: pluginsFile,
    // The script becomes the server, instead of waiting for it.
    RABBITMQ_ALLOW_INPUT: 'true',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-noinput',
  }
  const mapper = spawn(epmd, ['-port', String(mapperPort)], { env, stdio: 'ignore' })
  const server = spawn(rabbitMqServer, [], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  await printed(server, 'Server startup complete')
  async function stop(): Promise<void> {
    await ended(server)
    await ended(mapper)
    await rm(directory, { recursive: true })
  }
  return { port, stop }
}

/** Ports that are free now. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => {
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  })
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}

async function printed(server: ChildProcess, text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let output = ''
  server.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString()
    if (output.includes(text)) resolve()
  })
  server.once('exit', (code) => reject(new Error(`${server.spawnfile} ended with ${code}: ${output}`)))
  await promise
}

async function ended(server: ChildProcess): Promise<void> {
  const exit = once(server, 'close')
  server.kill('SIGKILL')
  await exit
}
