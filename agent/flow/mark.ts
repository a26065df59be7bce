/** The constructor's object is one that is there already: fields of a subclass are added to it. */
// oxlint-disable-next-line typescript/no-extraneous-class -- it is there to be extended.
class Given {
  constructor(object: object) {
    // oxlint-disable-next-line no-constructor-return -- the whole point: private fields land on somebody else's object.
    return object
  }
}

/** Something that is noted on objects of the service. */
export interface Mark<Value> {
  set(object: object, value: Value): void
  get(object: object): Value | undefined
  /** The same of an object that may inherit from the one that was marked, as some make of a request. */
  find(object: object): Value | undefined
}

/**
 * A note on objects that are not ours, which nobody else sees and which goes with them. Does what a WeakMap does without its price,
 * which is paid again at each collection of garbage.
 */
export function mark<Value>(): Mark<Value> {
  class Marked extends Given {
    #value: Value

    constructor(object: object, value: Value) {
      super(object)
      this.#value = value
    }

    static set(object: object, value: Value): void {
      if (#value in object) object.#value = value
      else void new Marked(object, value)
    }

    static get(object: object): Value | undefined {
      return #value in object ? object.#value : undefined
    }

    static find(object: object): Value | undefined {
      for (let at: object | null = object; at !== null; at = Object.getPrototypeOf(at) as object | null) {
        if (#value in at) return at.#value
      }
      return undefined
    }
  }
  return Marked
}
