import type { KeyRing } from './key-ring.ts';
import { encryptPage } from './page-cipher.ts';
import { FRAME_BYTES, type PhysicalMemory } from './physical-memory.ts';
import type { FramesState } from './state.ts';
import { RAW } from './views.ts';

/** Frames that lie side by side, and where they are in the list. */
interface Run {
  readonly at: number;
  readonly frame: number;
  readonly count: number;
}

/** The frames themselves stay in the views that they are in. */
export function saveFrames(memory: PhysicalMemory, keys: KeyRing): FramesState {
  const numbers = memory.ownedFrames();
  const writers = Uint8Array.from(numbers, (frame) => memory.writers[frame] ?? 0);
  const bytes = new Uint8Array(numbers.length * FRAME_BYTES);
  for (const { at, frame, count } of runs(numbers))
    bytes.set(memory.all.subarray(frame * FRAME_BYTES, (frame + count) * FRAME_BYTES), at * FRAME_BYTES);
  for (const [at, frame] of numbers.entries()) {
    const view = memory.tags[frame] ?? RAW;
    if (view === RAW) continue;
    encryptPage(keys.keyOf(view), frame * FRAME_BYTES, bytes.subarray(at * FRAME_BYTES, (at + 1) * FRAME_BYTES));
  }
  return { numbers, writers, bytes };
}

/** The frames must have their owners already. */
export function restoreFrames(memory: PhysicalMemory, { numbers, writers, bytes }: FramesState): void {
  for (const { at, frame, count } of runs(numbers))
    memory.all.set(bytes.subarray(at * FRAME_BYTES, (at + count) * FRAME_BYTES), frame * FRAME_BYTES);
  for (const [at, frame] of numbers.entries()) {
    memory.tags[frame] = RAW;
    memory.writers[frame] = writers[at] ?? 0;
  }
}

function* runs(numbers: Int32Array): Generator<Run> {
  for (let at = 0; at < numbers.length; ) {
    const frame = numbers[at] ?? 0;
    let count = 1;
    while (numbers[at + count] === frame + count) count += 1;
    yield { at, frame, count };
    at += count;
  }
}
