import { fileURLToPath } from 'node:url'

/** The file of a program of this package, named by its source: the source itself, or what it was compiled to. */
export function programPath(source: URL): string {
  const path = fileURLToPath(source)
  return import.meta.url.endsWith('.ts') ? path : path.replace(/\.ts$/, '.js')
}
