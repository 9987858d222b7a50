import type { ByteSource } from '../source/byte-source.ts';
import { checkLength } from '../source/most-at-once.ts';
import { checkRange } from '../source/window.ts';
import type { FromConfined, ToConfined } from './protocol.ts';
import { fromWire } from './wire-error.ts';

type Answer = Extract<ToConfined, { type: 'bytes' | 'no-bytes' }>;

/** The confined side of files that the other side reads. */
export class RemoteReads {
  readonly #send: (message: FromConfined) => void;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #next = 0;

  constructor(send: (message: FromConfined) => void) {
    this.#send = send;
  }

  take(answer: Answer): void {
    this.#waiting.get(answer.read)?.(answer);
    this.#waiting.delete(answer.read);
  }

  /** @param file its name on the other side */
  source(name: string, size: number, file: number): ByteSource {
    return {
      name,
      size,
      read: async (offset, length) => {
        checkRange(name, size, offset, length);
        checkLength(name, offset, length);
        const answer = await this.#ask(file, offset, length);
        if (answer.type === 'bytes') return answer.bytes;
        throw fromWire(answer.error);
      },
    };
  }

  #ask(file: number, offset: number, length: number): Promise<Answer> {
    const read = this.#next++;
    return new Promise((resolve) => {
      this.#waiting.set(read, resolve);
      this.#send({ type: 'read', read, file, offset, length });
    });
  }
}
