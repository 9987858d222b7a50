import type { Evidence } from '@unpin/policy';
import { occurrences, type SignalInput, structureOccurrences } from './signal.ts';

const POINTER_SIZE = 8;
/** A bound against images full of the word: for each, all of the image is searched. Real kernels have two or three. */
const MOST_PLACES = 8;

/**
 * That the kernel knows a word of its command line: the word as a text of its own, and a pointer to it (struct
 * obs_kernel_param). A text to which nothing points is a symbol's name or a part of a message.
 */
export function findKernelParameter(input: SignalInput, name: string): Evidence | undefined {
  const { image, elf } = input.kernel;
  const texts = occurrences(image, Buffer.from(`${name}\0`, 'latin1')).filter((at) => image[at - 1] === 0);
  for (const at of texts.slice(0, MOST_PLACES)) {
    const home = elf.segments.find(({ offset, bytes }) => at >= offset && at < offset + bytes.length);
    if (home === undefined) continue;
    const pointer = Buffer.alloc(POINTER_SIZE);
    pointer.writeBigUInt64LE(BigInt.asUintN(64, home.vaddr + BigInt(at - home.offset)));
    const [row] = structureOccurrences(input, pointer);
    if (row !== undefined)
      return { signal: 'kernel-parameter', where: 'vmlinux', offset: row, seen: `knows the parameter ${name}` };
  }
  return undefined;
}
