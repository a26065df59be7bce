// Light or dark as the machine says, unless somebody chose here.

export type Theme = 'system' | 'light' | 'dark'

const key = 'headwater.theme'

export function chosenTheme(): Theme {
  const kept = read(key)
  return kept === 'light' || kept === 'dark' ? kept : 'system'
}

export function applyTheme(theme: Theme = chosenTheme()): void {
  if (theme === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
}

export function chooseTheme(theme: Theme): void {
  write(key, theme)
  applyTheme(theme)
}

/** Who acts, as this person last said. */
export const rememberedName = (): string => read('headwater.name') ?? ''
export const rememberName = (name: string): void => write('headwater.name', name)

function read(name: string): string | null {
  try {
    return localStorage.getItem(name)
  } catch {
    return null
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(name, value)
  } catch {
    // A browser that keeps nothing is asked again next time.
  }
}
