// Libraries that are patched evaluate themselves when, and as, they would without the agent, and whoever asks gets them patched.

import { describe, expect, test } from 'vitest'
import { type AppOptions, nodeAt, nodes, startApp } from '../testing.ts'

/** Says when it is evaluated and what it finds; written as both kinds of modules. */
const saysSo = (name: string) => `
console.log('${name} evaluates itself, setting:', process.env.SETTING)
if (process.env.FAULT) throw new TypeError('no ${name} today')
function fail() { throw new RangeError('from inside of ${name}') }`

const kafka = `class Kafka { producer() { return new Error().stack } consumer() {} }`
const cron = `class Cron { trigger() { return this._trigger() } _trigger() { return new Error().stack } }`

// Maps its first line to the tenth of another file.
const map = Buffer.from(
  JSON.stringify({ version: 3, sources: ['original.ts'], names: [], mappings: `${';'.repeat(3)}AASA` }),
).toString('base64')
const mapping = `sourceMappingURL=data:application/json;base64,${map}`

/** A library of each sort, by the names of those that are patched. None ends with a line's end. */
const libraries: Record<string, string> = {
  'node_modules/kafkajs/package.json': '{ "name": "kafkajs", "version": "2.0.0", "main": "main.js" }',
  'node_modules/kafkajs/main.js': `'use strict'${saysSo('CommonJS')}
console.log([module.loaded, module.parent?.filename, module.children.length, require.main === module, this === exports])
${kafka}
exports.Kafka = Kafka
exports.fail = fail
if (process.env.EARLY) return
exports.cached = Object.keys(require.cache).filter((path) => path.includes('kafkajs')).length
// the end`,

  'node_modules/croner/package.json': `{ "name": "croner", "version": "9.0.0", "type": "module",
    "exports": { "import": "./main.js", "require": "./main.cjs" } }`,
  'node_modules/croner/main.js': `${saysSo('the ES module')}
await undefined
${cron}
export { Cron, fail }
//# ${mapping}`,
  'node_modules/croner/main.cjs': `${saysSo('the CommonJS build')}
${cron}
module.exports = { Cron, fail } /* the end */`,

  'node_modules/node-schedule/package.json': `{ "name": "node-schedule", "version": "9.0.0", "type": "module", "exports": "./main.js" }`,
  'node_modules/node-schedule/main.js': `${saysSo('the only ES module')}
export class Job { constructor() { this.name = 'job' } invoke() { return new Error().stack } }
export { fail }`,

  'node_modules/ws/package.json': `{ "name": "ws", "version": "8.0.0",
    "exports": { "import": "./wrapper.mjs", "require": "./main.js" } }`,
  'node_modules/ws/main.js': `${saysSo('the wrapped')}
module.exports = class WebSocket { emit() { return new Error().stack } }
module.exports.WebSocketServer = class WebSocketServer { handleUpgrade() { return new Error().stack } }`,
  'node_modules/ws/wrapper.mjs': `import WebSocket from './main.js'
export const { WebSocketServer } = WebSocket
export default WebSocket`,

  'set.mjs': `process.env.SETTING = 'set'; console.log('set')`,
  'set.cjs': `process.env.SETTING = 'set'; console.log('set')`,
  'between.mjs': `console.log('between')`,
  'between.cjs': `console.log('between')`,
}

/** Beside them others may have hooks, in the thread itself or in one of their own. */
const hooksOfOthers: [string, string][] = [
  ['', ''],
  [
    ', beside hooks of others',
    `import { registerHooks } from 'node:module'
     registerHooks({ resolve: (specifier, context, next) => next(specifier, context), load: (url, context, next) => next(url, context) })`,
  ],
  [
    ', beside hooks in a thread',
    `import { register } from 'node:module'
     register('data:text/javascript,' + encodeURIComponent(
       'export const resolve = (specifier, context, next) => next(specifier, context);' +
       'export const load = (url, context, next) => next(url, context)'))`,
  ],
]
const asModule = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`

async function run(options: AppOptions, registered: boolean) {
  // An import of any kind makes Node load the program in another way.
  const { flags = [], files = {}, ...rest } = options
  const app = await startApp({
    ...rest,
    files: { ...libraries, ...files },
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', ...rest.env },
    flags: [...(registered ? [] : ['--import', asModule('')]), ...flags],
    registered,
    serves: false,
  })
  const { code } = await app.ended()
  return { code, stdout: withoutPlaces(app.stdout()), stderr: withoutPlaces(app.stderr()) }
}

/** Each program is in a directory of its own, and Node goes other ways where there are any hooks. */
function withoutPlaces(text: string): string {
  return text.replaceAll(/(?<=node:internal\/[\w/]+):\d+:\d+/g, '').replaceAll(/\/[\w/]+\/headwater-agent-\w+/g, '')
}

async function expectAlike(options: AppOptions): Promise<string> {
  const [bare, traced] = [await run(options, false), await run(options, true)]
  expect(traced).toEqual(bare)
  expect(bare.code).toBe(0)
  return bare.stdout
}

const show = `
const show = (value) => console.log(typeof value === 'string' ? value : JSON.stringify(value))
const caught = (work) => { try { return work() } catch (error) { return error.stack } }
`

describe.each(nodes)('Node %s', (version) => {
  const node = nodeAt(version) ?? ''
  const skipped = node === ''

  const orderly: AppOptions = {
    node,
    file: 'app.mjs',
    source: `
      import './set.mjs'
      import * as kafkajs from 'kafkajs'
      import './between.mjs'
      import * as croner from 'croner'
      import * as schedule from 'node-schedule'
      import * as ws from 'ws'
      import { createRequire } from 'node:module'
      ${show}
      for (const each of [kafkajs, croner, schedule, ws]) show(Object.keys(each))
      show(kafkajs.default.cached)
      show(Object.keys(createRequire(import.meta.url).cache))
      show(Object.getOwnPropertyNames(globalThis))
      for (const { fail } of [kafkajs, croner, schedule]) show(caught(fail))`,
  }

  test.skipIf(skipped).each(hooksOfOthers)(
    'an ES module’s imports are evaluated in their order%s',
    async (_, hooks) => {
      const said = await expectAlike({ ...orderly, flags: hooks === '' ? [] : ['--import', asModule(hooks)] })
      expect(said.match(/^(set|between|.* evaluates .*)$/gm)).toEqual([
        'set',
        'CommonJS evaluates itself, setting: set',
        'between',
        'the ES module evaluates itself, setting: set',
        'the only ES module evaluates itself, setting: set',
        'the wrapped evaluates itself, setting: set',
      ])
    },
  )

  test.skipIf(skipped)('errors in a library stand where its source map says', async () => {
    const said = await expectAlike({ ...orderly, flags: ['--enable-source-maps'] })
    expect(said).toContain('croner/original.ts:10:')
  })

  test.skipIf(skipped)('what CommonJS requires is evaluated when it does', async () => {
    const said = await expectAlike({
      node,
      file: 'app.cjs',
      source: `
        ${show}
        require('./set.cjs')
        const kafkajs = require('kafkajs')
        require('./between.cjs')
        const [croner, schedule, WebSocket] = [require('croner'), require('node-schedule'), require('ws')]
        show([kafkajs, croner, schedule, WebSocket].map((each) => Object.keys(each)))
        show(Object.keys(require.cache))
        show(module.children.map(({ filename, loaded }) => [filename, loaded]))
        for (const { fail } of [kafkajs, croner, schedule]) show(caught(fail))`,
    })
    expect(said).toMatch(/^set\nCommonJS evaluates itself, setting: set\n.*\nbetween\nthe CommonJS build .*: set\n/)
  })

  test.skipIf(skipped)('to ask where a library is evaluates nothing, nor its instrumentation', async () => {
    const names = `['kafkajs', 'croner', 'node-schedule', 'ws', 'express', 'pg']`
    const ofEsModule = await expectAlike({
      node,
      file: 'app.mjs',
      source: `
        import { createRequire } from 'node:module'
        ${show}
        const require = createRequire(import.meta.url)
        for (const name of ${names}) show([import.meta.resolve(name), require.resolve(name)])
        show(Object.keys(require.cache))`,
    })
    const ofCommonJs = await expectAlike({
      node,
      file: 'app.cjs',
      source: `
        ${show}
        show(${names}.map((name) => require.resolve(name)))
        show([Object.keys(require.cache), require.cache[require.resolve('kafkajs')]])`,
    })
    expect(ofEsModule + ofCommonJs).not.toContain('evaluates itself')
  })

  test.skipIf(skipped)(
    'a library that throws does so with the agent, and again where it is asked for again',
    async () => {
      await expectAlike({
        node,
        file: 'app.mjs',
        env: { FAULT: 'yes' },
        source: `
        import { createRequire } from 'node:module'
        ${show}
        const require = createRequire(import.meta.url)
        for (const name of ['kafkajs', 'kafkajs', 'croner', 'croner', 'node-schedule', 'ws', 'ws']) {
          await import(name).catch(({ stack }) => show(stack))
          show(caught(() => require(name)))
        }
        delete process.env.FAULT
        show(Object.keys(require('kafkajs')))`,
      })
      const said = await expectAlike({
        node,
        file: 'app.cjs',
        env: { FAULT: 'yes' },
        source: `
        ${show}
        for (const name of ['kafkajs', 'croner', 'ws']) show(caught(() => require(name)))
        for (const name of ['kafkajs', 'croner', 'ws']) show(caught(() => require(name)))
        delete process.env.FAULT
        for (const name of ['kafkajs', 'croner', 'ws']) show(Object.keys(require(name)))`,
      })
      expect(said.match(/CommonJS evaluates itself/g)).toHaveLength(3)
    },
  )

  const methods = `[kafkajs.Kafka.prototype.producer, croner.Cron.prototype._trigger, schedule.Job.prototype.invoke, WebSocket.prototype.emit]`
  const patched = ['headwaterProducer', 'headwaterJob', 'headwaterJob', 'headwaterEmit']
  const required = `
    const [kafkajs, croner, schedule, WebSocket] = [require('kafkajs'), require('croner'), require('node-schedule'), require('ws')]
    show(${methods}.map(({ name }) => name))`
  const namesIn = (said: string) =>
    [...said.matchAll(/^\["headwater.*$/gm)].map(([line]) => JSON.parse(line) as unknown)

  test.skipIf(skipped).each(hooksOfOthers)('who imports libraries gets them patched, and once%s', async (_, hooks) => {
    const { stdout } = await run(
      {
        node,
        file: 'app.mjs',
        flags: hooks === '' ? [] : ['--import', asModule(hooks)],
        source: `
          import * as kafkajs from 'kafkajs'
          import * as croner from 'croner'
          import * as schedule from 'node-schedule'
          import WebSocket from 'ws'
          import { createRequire } from 'node:module'
          ${show}
          show(${methods}.map(({ name }) => name))
          const require = createRequire(import.meta.url)
          { ${required} }
          show(new schedule.Job().invoke().match(/headwaterJob/g))
          show(new (require('ws'))().emit('message').match(/headwaterEmit/g))`,
      },
      true,
    )
    expect(namesIn(stdout)).toEqual([patched, patched, ['headwaterJob'], ['headwaterEmit']])
  })

  test.skipIf(skipped)('who requires libraries gets them patched, also when they are evaluated again', async () => {
    const { stdout } = await run(
      {
        node,
        file: 'app.cjs',
        source: `
          ${show}
          ${required}
          for (const path of Object.keys(require.cache)) delete require.cache[path]
          { ${required} }
          import('ws').then(({ default: WebSocket }) => show(new WebSocket().emit('message').match(/headwaterEmit/g)))`,
      },
      true,
    )
    expect(namesIn(stdout)).toEqual([patched, patched, ['headwaterEmit']])
    expect(stdout.match(/CommonJS evaluates itself/g)).toHaveLength(2)
  })

  test.skipIf(skipped).each([
    ['that returns before its end', { env: { EARLY: 'yes' } }],
    ['that was loaded before the agent', { flags: ['--require', './first/before.cjs'] }],
  ])('a library %s is patched', async (_, options) => {
    const { stdout } = await run(
      {
        ...options,
        node,
        file: 'app.cjs',
        files: { 'first/before.cjs': `require('kafkajs')` },
        source: `${show} show([require('kafkajs').Kafka.prototype.producer.name])`,
      },
      true,
    )
    expect(namesIn(stdout)).toEqual([['headwaterProducer']])
  })
})
