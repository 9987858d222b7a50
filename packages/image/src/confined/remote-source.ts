import type { GivenFolder } from '../disk/open-disk-folder.ts';
import { FormatError } from '../format-error.ts';
import type { ByteSource } from '../source/byte-source.ts';
import { checkRead } from '../source/most-at-once.ts';
import type { FromConfined, ToConfined } from './protocol.ts';
import { fromWire } from './wire-error.ts';

type Answer = Extract<ToConfined, { type: 'bytes' | 'no-bytes' | 'opened' }>;

/** The confined side of files that the other side reads. */
export class RemoteReads {
  readonly #send: (message: FromConfined) => unknown;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #next = 0;

  constructor(send: (message: FromConfined) => unknown) {
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
        checkRead(name, size, offset, length);
        const answer = await this.#ask((read) => ({ type: 'read', read, file, offset, length }));
        if (answer.type === 'bytes') return answer.bytes;
        throw answer.type === 'no-bytes'
          ? fromWire(answer.error)
          : new FormatError('unreadable', name, offset, 'no answer to a read');
      },
    };
  }

  /** A folder, whose files the other side opens one by one. @param folder its name there */
  folder(name: string, folder: number): GivenFolder {
    return {
      name,
      file: async (file) => {
        const answer = await this.#ask((read) => ({ type: 'open', read, folder, name: file }));
        if (answer.type === 'no-bytes') throw fromWire(answer.error);
        if (answer.type !== 'opened' || answer.part === undefined) return undefined;
        return this.source(`${name}/${file}`, answer.part.bytes, answer.part.id);
      },
    };
  }

  #ask(question: (read: number) => FromConfined): Promise<Answer> {
    const read = this.#next++;
    return new Promise((resolve) => {
      this.#waiting.set(read, resolve);
      this.#send(question(read));
    });
  }
}
