import { expect, test } from 'vitest'
import { readDoctorNote } from './doctor.ts'

const note = { pid: 1, program: 'app.js', check: 'node', status: 'good', says: '26.10.0' }

test('a note is read as it was written', () => {
  expect(readDoctorNote(JSON.stringify(note))).toEqual(note)
  expect(readDoctorNote(JSON.stringify({ ...note, mend: 'use another' }))).toMatchObject({ mend: 'use another' })
})

test.each(['', '{"pid":1,"program":"app', 'null', '[]', '{}', JSON.stringify({ ...note, status: 'fine' })])(
  'a line that is no note is none: %s',
  (line) => {
    expect(readDoctorNote(line)).toBeUndefined()
  },
)
