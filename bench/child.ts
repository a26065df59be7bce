// What is measured runs in a process of its own, so that its processor time and memory are its own. It is asked by name and
// answers; it ends when it is told to, or when its parent is gone.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What a child can be asked. */
export type Answers = Record<string, (question: never) => unknown>

interface Question {
  id: number
  name: string
  question: unknown
}

type Reply = { id: number; answer: unknown } | { id: number; error: string }

export interface Child<A extends Answers> {
  pid: number
  ask<N extends keyof A & string>(name: N, question: Parameters<A[N]>[0]): Promise<Awaited<ReturnType<A[N]>>>
  end(): Promise<void>
}

const endWithinMs = 10_000

/**
 * Starts a program, named by its path from this folder; `nodeOptions` are Node's own, such as those of its profiler. Without a
 * place of its own it runs in ours.
 */
export async function startChild<A extends Answers>(
  program: string,
  nodeOptions: readonly string[] = [],
  place: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Child<A>> {
  const child = fork(fileURLToPath(new URL(program, import.meta.url)), [], {
    execArgv: ['--disable-warning=ExperimentalWarning', ...nodeOptions],
    serialization: 'advanced',
    ...place,
  })
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let asked = 0
  const exited = once(child, 'exit')
  child.on('message', (reply: Reply) => {
    const asker = waiting.get(reply.id)
    waiting.delete(reply.id)
    if ('error' in reply) asker?.reject(new Error(`${program} failed: ${reply.error}`))
    else asker?.resolve(reply.answer)
  })
  child.once('exit', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`${program} ended with ${signal ?? code}`))
    waiting.clear()
  })
  await once(child, 'spawn')
  return {
    pid: child.pid ?? 0,
    async ask(name, question) {
      const asker = Promise.withResolvers<unknown>()
      asked += 1
      waiting.set(asked, asker)
      child.send({ id: asked, name, question } satisfies Question, (error) => error && asker.reject(error))
      return (await asker.promise) as never
    },
    async end() {
      if (child.connected) child.disconnect()
      const late = setTimeout(() => child.kill('SIGKILL'), endWithinMs)
      await exited
      clearTimeout(late)
    },
  }
}

/** In the child: answers what it is asked, until the parent lets go; then `end` may finish what it has begun. */
export function answerParent(answers: Answers, end: () => Promise<void> = async () => undefined): void {
  process.on('message', ({ id, name, question }: Question) => {
    const reply = (message: Reply): unknown => process.connected && process.send?.(message)
    const answer = answers[name]
    if (answer === undefined) reply({ id, error: `nothing is known of "${name}"` })
    else {
      Promise.try(() => answer(question as never)).then(
        (value) => reply({ id, answer: value }),
        (error: unknown) =>
          reply({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
      )
    }
  })
  // Interrupts go to the whole group; the parent decides when its children end.
  process.on('SIGINT', () => undefined)
  process.once('disconnect', () => void end().finally(() => process.exit(0)))
}
