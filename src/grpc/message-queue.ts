// Incoming messages of one stream as an async iterable that holds its producer back: beyond the high mark the stream
// is paused, so that a slow reader costs the sender its window and not our memory.
const HIGH_MARK = 64;

export interface MessageQueueOptions {
  readonly pause: () => void;
  readonly resume: () => void;
}

/** One producer, one consumer. `push` after `finish` is ignored; `finish` may be called twice, the first call counts. */
export class MessageQueue implements AsyncIterable<Buffer> {
  readonly #options: MessageQueueOptions;
  #items: Buffer[] = [];
  #wake: (() => void) | undefined;
  #finished = false;
  #error: Error | undefined;
  #paused = false;

  constructor(options: MessageQueueOptions) {
    this.#options = options;
  }

  push(messages: readonly Buffer[]): void {
    if (this.#finished) return;
    this.#items.push(...messages);
    if (!this.#paused && this.#items.length > HIGH_MARK) {
      this.#paused = true;
      this.#options.pause();
    }
    this.#wake?.();
  }

  /** Ends the iteration after what is queued, with an error if one is given. */
  finish(error?: Error): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#error = error;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Buffer> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) {
        yield item;
        continue;
      }
      if (this.#finished) {
        if (this.#error !== undefined) throw this.#error;
        return;
      }
      if (this.#paused) {
        this.#paused = false;
        this.#options.resume();
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}
