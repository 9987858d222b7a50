/** The framing of the GDB remote serial protocol (GDB manual, appendix E.1), as QEMU's stub speaks it. */

/** `$data#checksum`, the characters `$ # } *` escaped. */
export function packet(data: string): string {
  const escaped = data.replaceAll(/[$#}*]/g, (character) => `}${String.fromCharCode(character.charCodeAt(0) ^ 0x20)}`);
  return `$${escaped}#${checksum(escaped)}`;
}

/** Bytes as they arrive, cut into packets. Acknowledgements and bytes between packets are skipped. */
export class PacketReader {
  #text = '';

  push(bytes: Buffer): void {
    this.#text += bytes.toString('latin1');
  }

  /** The next whole packet's data, undefined while there is none. Throws for a wrong checksum. */
  next(): string | undefined {
    const start = this.#text.indexOf('$');
    const end = start < 0 ? -1 : this.#text.indexOf('#', start);
    if (end < 0 || this.#text.length < end + 3) return undefined;
    const escaped = this.#text.slice(start + 1, end);
    const sum = this.#text.slice(end + 1, end + 3);
    this.#text = this.#text.slice(end + 3);
    if (checksum(escaped) !== sum.toLowerCase())
      throw new Error(`gdbstub: checksum ${sum} of '${escaped.slice(0, 40)}'`);
    return expand(escaped);
  }
}

function checksum(text: string): string {
  let sum = 0;
  for (let i = 0; i < text.length; i++) sum += text.charCodeAt(i);
  return (sum & 0xff).toString(16).padStart(2, '0');
}

/** Undoes escapes (`}x`) and run lengths (`c*n`). */
function expand(text: string): string {
  if (!text.includes('}') && !text.includes('*')) return text;
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const character = text[i] ?? '';
    if (character === '}') out += String.fromCharCode(text.charCodeAt(++i) ^ 0x20);
    else if (character === '*') out += (out.at(-1) ?? '').repeat(text.charCodeAt(++i) - 29);
    else out += character;
  }
  return out;
}
