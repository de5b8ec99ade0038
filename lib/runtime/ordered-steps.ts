/** Turns an item into its result, or a promise of it; null means no result. It neither throws nor rejects. */
export type Step<In, Out> = (item: In) => Out | null | Promise<Out | null>;

interface Slot<Out> {
  readonly size: number;
  readonly begin: () => Out | null | Promise<Out | null>;
  readonly end: (result: Out | null) => void;
  /** True for a slot without an item, whose callback waits for the slots before it. */
  readonly isMark?: true;
  /** Undefined until the step has finished with the item. */
  result?: Out | null;
}

/**
 * Passes items through a step that may be asynchronous, at most `limit` of them at once, and emits the results in the order
 * of the items. A result that is there at once, with nothing waiting before it, is emitted before `push` returns.
 */
export class OrderedSteps<In, Out> {
  readonly #slots: Slot<Out>[] = [];
  /** How many of the slots, from the first, have been given to the step. */
  #begun = 0;
  #running = 0;
  #size = 0;

  constructor(
    private readonly limit: number,
    private readonly step: Step<In, Out>,
  ) {}

  /** How many items are in progress. */
  get length(): number {
    return this.#slots.length;
  }

  /** The sum of the sizes of the items in progress. */
  get size(): number {
    return this.#size;
  }

  /**
   * @param size what the item counts for in {@link size}
   * @param emit gets the result, in the item's turn
   */
  push(item: In, size: number, emit: (result: Out) => void): void {
    const end = (result: Out | null): void => {
      if (result !== null) emit(result);
    };
    if (this.#slots.length > 0) {
      this.#add({ size, begin: () => this.step(item), end });
      return;
    }
    const result = this.step(item);
    if (result instanceof Promise) this.#add({ size, begin: () => result, end });
    else end(result);
  }

  /**
   * Calls back once everything that was pushed before is emitted or forgotten.
   *
   * @param size what the wait counts for in {@link size}
   */
  after(callback: () => void, size = 0): void {
    if (this.#slots.length === 0) callback();
    else this.#add({ size, begin: () => null, end: callback, isMark: true });
  }

  /** Gives up all items in progress: none of them is emitted, and those that wait never begin. */
  forget(): void {
    const slots = this.#slots.splice(0);
    this.#begun = 0;
    this.#size = 0;
    for (const { isMark, end } of slots) if (isMark) end(null);
  }

  #add(slot: Slot<Out>): void {
    this.#slots.push(slot);
    this.#size += slot.size;
    this.#begin();
  }

  /** Gives waiting items to the step, up to the limit. */
  #begin(): void {
    while (this.#running < this.limit) {
      const slot = this.#slots[this.#begun];
      if (!slot) return;
      this.#begun++;
      const result = slot.begin();
      if (result instanceof Promise) this.#await(slot, result);
      else slot.result = result;
    }
  }

  #await(slot: Slot<Out>, result: Promise<Out | null>): void {
    this.#running++;
    void result.then((settled) => {
      this.#running--;
      slot.result = settled;
      this.#begin();
      this.#release();
    });
  }

  /** Emits the results that are ready, up to the first item that is not. */
  #release(): void {
    for (let slot = this.#slots[0]; slot?.result !== undefined; slot = this.#slots[0]) {
      this.#slots.shift();
      this.#begun--;
      this.#size -= slot.size;
      slot.end(slot.result);
    }
  }
}
