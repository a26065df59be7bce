// Few texts hold what a pattern looks for, and looking for plain characters is a hundred times cheaper than running an
// expression. So each pattern is read once for characters that none of its finds can be without.

/** The longest text that stands in every find of the pattern; empty when that cannot be told. */
export function requiredLiteral(source: string): string {
  let longest = ''
  let run = ''
  const endRun = () => {
    if (run.length > longest.length) longest = run
    run = ''
  }
  for (let at = 0; at < source.length; at += 1) {
    const character = source.charAt(at)
    // One of two ways may be without any of it.
    if (character === '|') return ''
    if (character === '\\') {
      at += 1
      const escaped = source.charAt(at)
      if (/[bBdDwWsS]/.test(escaped)) endRun()
      // Escapes by number or name say other characters than they are written with.
      else if (/[0-9A-Za-z]/.test(escaped)) return ''
      else run += escaped
    } else if (character === '[') {
      at = classEnd(source, at)
      endRun()
    } else if (character === '(') {
      at = groupEnd(source, at)
      endRun()
    } else if ('*?{'.includes(character)) {
      // What may be there any number of times may be there not at all.
      run = run.slice(0, -1)
      endRun()
      if (character === '{') at = source.indexOf('}', at)
      if (at === -1) return ''
    } else if ('^$.+'.includes(character)) endRun()
    else run += character
  }
  endRun()
  return longest
}

function classEnd(source: string, open: number): number {
  let at = open + 1
  while (at < source.length && source[at] !== ']') at += source[at] === '\\' ? 2 : 1
  return at
}

function groupEnd(source: string, open: number): number {
  let at = open
  for (let depth = 0; at < source.length; at += 1) {
    const character = source[at]
    if (character === '\\') at += 1
    else if (character === '[') at = classEnd(source, at)
    else if (character === '(') depth += 1
    else if (character === ')') depth -= 1
    if (depth === 0) return at
  }
  return at
}
