// What the doctor says. Where it runs a service, the agent in there tells its part in lines of JSON, in a file that a variable of
// the environment names.

export interface DoctorFinding {
  /** What was looked at, in a word. */
  check: string
  status: 'good' | 'bad' | 'unknown'
  says: string
  /** What to do about it. */
  mend?: string
}

/** Names the file. */
export const doctorVariable = 'HEADWATER_DOCTOR'

/** A line of that file. A later one of the same process and check takes the place of an earlier one. */
export interface DoctorNote extends DoctorFinding {
  pid: number
  /** What the process runs. */
  program: string
}

/** Reads a line; one that is cut off or of another version is none. */
export function readDoctorNote(line: string): DoctorNote | undefined {
  try {
    const note: unknown = JSON.parse(line)
    return isNote(note) ? note : undefined
  } catch {
    return undefined
  }
}

function isNote(note: unknown): note is DoctorNote {
  if (typeof note !== 'object' || note === null) return false
  const { pid, program, check, status, says, mend } = note as Partial<Record<keyof DoctorNote, unknown>>
  const isText = [program, check, says, mend ?? ''].every((each) => typeof each === 'string')
  return isText && typeof pid === 'number' && (status === 'good' || status === 'bad' || status === 'unknown')
}
