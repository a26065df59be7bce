import { expect, test } from 'vitest'
import { type MountedPatterns, enterMount, routeBelow } from './mounted-routes.ts'

/** Mounts as a request meets them, `text as pattern`, then the handler. */
function route(story: [baseUrl: string, pattern: string | RegExp | string[]][]): string {
  const mounts: MountedPatterns = new Map()
  for (const [baseUrl, pattern] of story.slice(0, -1)) enterMount(mounts, baseUrl, pattern)
  const [baseUrl, pattern] = story.at(-1) ?? ['', '/']
  return routeBelow(mounts, baseUrl, pattern)
}

test.each([
  ['a route of the application', [['', '/orders/:id']], '/orders/:id'],
  ['the root', [['', '/']], '/'],
  [
    'a route of a mounted router',
    [
      ['/t1', '/:tenant'],
      ['/t1', '/orders/:id'],
    ],
    '/:tenant/orders/:id',
  ],
  [
    'the root of a mounted router',
    [
      ['/orders', '/orders'],
      ['/orders', '/'],
    ],
    '/orders',
  ],
  [
    'a router in a router',
    [
      ['/t1', '/:tenant'],
      ['/t1/shops/7', '/shops/:shop'],
      ['/t1/shops/7', '/stock'],
    ],
    '/:tenant/shops/:shop/stock',
  ],
  [
    'a router after one that knew nothing, mounted at the same text under another name',
    [
      ['/t1', '/:tenant'],
      ['/t1', '/:customer'],
      ['/t1', '/orders'],
    ],
    '/:customer/orders',
  ],
  [
    'a router that is mounted deeper than a middleware before it',
    [
      ['/a', '/:any'],
      ['/a/b', '/a/b'],
      ['/a/b', '/c'],
    ],
    '/a/b/c',
  ],
  [
    'a mount path that matches any number of segments',
    [
      ['/t1', '/:tenant'],
      ['/t1/x/y', '/*rest'],
      ['/t1/x/y', '/z'],
    ],
    '/:tenant/*rest/z',
  ],
  ['a mount path that nobody told', [['/sub', '/a']], '/sub/a'],
  ['a regular expression', [['', /^\/ab?c$/]], '/^\\/ab?c$/'],
  ['one of several paths', [['', ['/a', '/b']]], '/a|/b'],
] as [string, [string, string | RegExp | string[]][], string][])('%s', (_what, story, expected) => {
  expect(route(story)).toBe(expected)
})
