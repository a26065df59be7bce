import { join } from 'node:path'

/** Where `npm run build` of this package puts the console: what the API serves. */
export const consoleDirectory: string = join(import.meta.dirname, 'dist')
