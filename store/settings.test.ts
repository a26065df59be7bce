import { expect, test } from 'vitest'
import { readStoreSettings } from './settings.ts'

test('without settings, data lives in .headwater for 30 days', () => {
  expect(readStoreSettings({ HEADWATER_RETENTION: '', CLICKHOUSE_URL: '' })).toEqual({
    dataDir: '.headwater',
    retentionDays: 30,
  })
})

test('sizes and days are read with their units', () => {
  expect(readStoreSettings({ HEADWATER_RETENTION: '7d', HEADWATER_DISK_MAX: '1.5 GB' })).toMatchObject({
    retentionDays: 7,
    diskMaxBytes: 1_500_000_000,
  })
})

test.each([
  ['HEADWATER_RETENTION', 'soon', /HEADWATER_RETENTION is "soon": give days/],
  ['HEADWATER_RETENTION', '0', /give days/],
  ['HEADWATER_DISK_MAX', '20', /HEADWATER_DISK_MAX is "20": give a size/],
  ['CLICKHOUSE_URL', 'clickhouse:9000', /CLICKHOUSE_URL is not usable \(its value is not shown\): give an HTTP URL/],
  ['DATABASE_URL', 'mysql://db', /DATABASE_URL is not usable/],
])('%s=%s is refused by name, with the mend', (name, value, message) => {
  expect(() => readStoreSettings({ [name]: value })).toThrow(message)
})
