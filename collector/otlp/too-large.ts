/** A request that would take more memory than one may, told to its sender as 413. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge'
}
