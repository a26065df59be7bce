/** Whether a name fits what a rule says: an exact name, or one with `*` for any characters; case does not count. */
export function attributePattern(written: string): (name: string) => boolean {
  const [first = '', ...others] = written.toLowerCase().split('*')
  const last = others.pop()
  if (last === undefined) return (name) => name.toLowerCase() === first
  return (name) => {
    const lower = name.toLowerCase()
    const stop = lower.length - last.length
    if (stop < first.length || !lower.startsWith(first) || !lower.endsWith(last)) return false
    // The first place that fits each part is as good as any later one, so nothing is tried twice.
    let at = first.length
    for (const part of others) {
      const found = lower.indexOf(part, at)
      if (found === -1) return false
      at = found + part.length
    }
    return at <= stop
  }
}
