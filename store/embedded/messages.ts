// What the parent and the engines' process say to one another.

/** Everything the engines' process needs; it comes as a message, because arguments and environment are for all to see. */
export interface EnginesConfig {
  dataDir: string
  clickhousePort: number
  databasePort: number
  user: string
  password: string
  memoryMaxBytes: number
  queriesMax: number
  queriesWaitingMax: number
  bodyBytesMax: number
  answerBytesMax: number
  connectionsMax: number
  idleTransactionMs: number
}

export type ToChild = { type: 'start'; config: EnginesConfig } | { type: 'stop' }

export type FromChild =
  | { type: 'ready'; clickhousePort: number; databasePort: number }
  | { type: 'failed'; message: string; code: string | undefined }

/** The databases' names in the URLs. PGlite has this one only. */
export const clickhouseDatabase = 'headwater'
export const postgresDatabase = 'postgres'
