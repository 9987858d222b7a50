import { ByteRing } from '../console/byte-ring.ts';

/** More than a guest can print between two looks: nobody reads while it runs. */
const CAPACITY = 1 << 20;
/** Text that is kept to look for what someone waits for, characters. */
const KEPT = 1 << 16;

/** A subject's serial port: its output is taken after each run, and nobody types. */
export class SubjectConsole {
  readonly out = ByteRing.create(CAPACITY);
  readonly input = ByteRing.create(64);
  #text = '';

  /** What was printed since the last time. */
  take(): Uint8Array {
    const bytes = this.out.read();
    if (bytes.length > 0) this.#text = (this.#text + Buffer.from(bytes).toString('latin1')).slice(-KEPT);
    return bytes;
  }

  has(text: string): boolean {
    return this.#text.includes(text);
  }

  /** The last line that isn't empty, as far as it is plain text: a guest's escape sequences are not for our terminals. */
  get lastLine(): string {
    return (
      this.#text
        .split('\n')
        .map(plain)
        .findLast((line) => line !== '') ?? ''
    );
  }
}

const ESCAPE = 0x1b;

/** Without escape sequences (ECMA-48) and control characters. */
function plain(line: string): string {
  let text = '';
  for (let at = 0; at < line.length; at++) {
    const code = line.charCodeAt(at);
    if (code === ESCAPE) at = endOfSequence(line, at);
    else if (code >= 0x20 && code < 0x7f) text += line.charAt(at);
  }
  return text.trim();
}

/** CSI: parameters and intermediates (0x20 to 0x3f), then one final character; any other sequence counts as two. */
function endOfSequence(line: string, escape: number): number {
  if (line.charAt(escape + 1) !== '[') return escape + 1;
  let at = escape + 2;
  while (at < line.length && line.charCodeAt(at) >= 0x20 && line.charCodeAt(at) < 0x40) at += 1;
  return at;
}
