import type { KeyRing } from './key-ring.ts';
import { encryptPage } from './page-cipher.ts';
import { FRAME_BYTES, type PhysicalMemory } from './physical-memory.ts';
import type { FramesState } from './state.ts';
import { RAW } from './views.ts';

const ZEROS = Buffer.alloc(FRAME_BYTES);

/** Frames that lie side by side with bytes, and where those are. */
interface Run {
  readonly offset: number;
  readonly frame: number;
  readonly count: number;
}

/** The frames themselves stay in the views that they are in. */
export function saveFrames(memory: PhysicalMemory, keys: KeyRing): FramesState {
  const numbers = memory.ownedFrames();
  const writers = Uint8Array.from(numbers, (frame) => memory.writers[frame] ?? 0);
  const all = Buffer.from(memory.buffer);
  const zeros = Uint8Array.from(numbers, (frame) => (isZero(memory, all, frame) ? 1 : 0));
  const bytes = new Uint8Array(filledFrames(zeros) * FRAME_BYTES);
  for (const { offset, frame, count } of runs(numbers, zeros))
    bytes.set(memory.all.subarray(frame * FRAME_BYTES, (frame + count) * FRAME_BYTES), offset);
  for (const { offset, frame, count } of runs(numbers, zeros))
    for (let at = 0; at < count; at++) {
      const view = memory.tags[frame + at] ?? RAW;
      if (view === RAW) continue;
      const from = offset + at * FRAME_BYTES;
      encryptPage(keys.keyOf(view), (frame + at) * FRAME_BYTES, bytes.subarray(from, from + FRAME_BYTES));
    }
  return { numbers, writers, zeros, bytes };
}

/** The frames must have their owners already, and be as they were given out. */
export function restoreFrames(memory: PhysicalMemory, { numbers, writers, zeros, bytes }: FramesState): void {
  for (const { offset, frame, count } of runs(numbers, zeros))
    memory.all.set(bytes.subarray(offset, offset + count * FRAME_BYTES), frame * FRAME_BYTES);
  for (const [at, frame] of numbers.entries()) {
    memory.tags[frame] = RAW;
    memory.writers[frame] = writers[at] ?? 0;
  }
}

/** How many frames have bytes. */
export function filledFrames(zeros: Uint8Array): number {
  return zeros.reduce((count, isZeroFrame) => count - isZeroFrame, zeros.length);
}

/** In DRAM: zeros in another view are ciphertext there. */
function isZero(memory: PhysicalMemory, all: Buffer, frame: number): boolean {
  if ((memory.tags[frame] ?? RAW) !== RAW) return false;
  return ZEROS.compare(all, frame * FRAME_BYTES, (frame + 1) * FRAME_BYTES) === 0;
}

function* runs(numbers: Int32Array, zeros: Uint8Array): Generator<Run> {
  let offset = 0;
  for (let at = 0; at < numbers.length; ) {
    const frame = numbers[at] ?? 0;
    let count = 0;
    while (zeros[at + count] === 0 && numbers[at + count] === frame + count) count += 1;
    if (count > 0) yield { offset, frame, count };
    offset += count * FRAME_BYTES;
    at += Math.max(1, count);
  }
}
