// One sign and one word for each state: colour is never the only one.

const signs = {
  open: { sign: '▲', word: 'open', tone: 'bad' },
  acknowledged: { sign: '◆', word: 'acknowledged', tone: 'warn' },
  resolved: { sign: '✓', word: 'resolved', tone: 'good' },
  error: { sign: '✕', word: 'failed', tone: 'bad' },
  slow: { sign: '◷', word: 'slow', tone: 'warn' },
  ok: { sign: '✓', word: 'ok', tone: 'good' },
  running: { sign: '…', word: 'running', tone: 'plain' },
  cause: { sign: '◉', word: 'cause', tone: 'bad' },
  hit: { sign: '▲', word: 'hit', tone: 'warn' },
  failing: { sign: '✕', word: 'failing', tone: 'bad' },
  quiet: { sign: '○', word: 'quiet', tone: 'plain' },
} as const

export type StateName = keyof typeof signs

export function State({ state, word }: { state: StateName; word?: string }) {
  const { sign, tone, word: usual } = signs[state]
  return (
    <span className={`state ${tone}`}>
      <i aria-hidden="true">{sign}</i>
      {word ?? usual}
    </span>
  )
}
