// Whether playing runs again without a cause tells right causes from wrong ones: it takes no part in ranking them.

/** A cause that was told. */
export interface ToldCause {
  isRight: boolean
  replay: { runs: number; mended: number; share: number } | undefined
}

/** How many causes it is told of, and the runs that would have gone well without them. */
export function replayTable(causes: readonly ToldCause[]): string {
  const rows = [
    { name: 'right', of: causes.filter(({ isRight }) => isRight) },
    { name: 'wrong', of: causes.filter(({ isRight }) => !isRight) },
  ].map(({ name, of }) => {
    const replays = of.flatMap(({ replay }) => (replay === undefined ? [] : [replay]))
    const sum = (part: 'runs' | 'mended'): number => replays.reduce((total, replay) => total + replay[part], 0)
    const most = replays.filter(({ share }) => share > 0.5).length
    return `| ${name} | ${of.length} | ${replays.length} | ${sum('mended')} of ${sum('runs')} | ${most} |`
  })
  return [
    '| cause | n | played again without it | runs mended | more than half mended |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}
