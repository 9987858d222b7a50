/** Test cases and outcomes as native.c reads and writes them. */
import type { Patch } from './case-context.ts';
import { CpuState } from './cpu-state.ts';
import { CHUNK, NATIVE, STATE } from './layout.ts';

/** What a processor is given. */
export interface Job {
  readonly state: CpuState;
  readonly code: Uint8Array;
  readonly patches: readonly Patch[];
}

/** What came of it: the state, and the 16-byte pieces of data memory that are not as background and patches left them. */
export interface Outcome {
  readonly state: CpuState;
  readonly changes: readonly Patch[];
}

const PATCH = 8 + CHUNK;

export function backgroundMessage(background: Uint8Array): Buffer {
  const message = header(NATIVE.background, 0, background.length);
  message.set(background, NATIVE.header);
  return message;
}

export function runMessage(jobs: readonly Job[]): Buffer {
  let bytes = 0;
  for (const { code, patches } of jobs) bytes += STATE.bytes + 8 + padded(code.length) + patches.length * PATCH;
  const message = header(NATIVE.run, jobs.length, bytes);
  let at = NATIVE.header;
  for (const { state, code, patches } of jobs) {
    message.set(state.bytes, at);
    at += STATE.bytes;
    message.writeUInt32LE(code.length, at);
    message.writeUInt32LE(patches.length, at + 4);
    message.set(code, at + 8);
    at += 8 + padded(code.length);
    for (const patch of patches) {
      message.writeUInt32LE(patch.offset, at);
      message.set(patch.bytes, at + 8);
      at += PATCH;
    }
  }
  return message;
}

/** Bytes of the whole answer whose beginning this is, or undefined while its header is incomplete. Throws RangeError. */
export function answerLength(data: Buffer): number | undefined {
  if (data.length < NATIVE.header) return undefined;
  if (data.readUInt32LE(0) !== NATIVE.magic) throw new RangeError('the native oracle wrote something else');
  return NATIVE.header + data.readUInt32LE(12);
}

/** The outcomes are views of the answer, which is 8-aligned. */
export function parseAnswer(answer: Buffer): Outcome[] {
  const count = answer.readUInt32LE(8);
  const outcomes: Outcome[] = [];
  let at = NATIVE.header;
  for (let i = 0; i < count; i++) {
    const state = new CpuState(answer.buffer, answer.byteOffset + at);
    at += STATE.bytes;
    const changes: Patch[] = [];
    const length = answer.readUInt32LE(at);
    at += 8;
    for (let j = 0; j < length; j++) {
      changes.push({ offset: answer.readUInt32LE(at), bytes: answer.subarray(at + 8, at + PATCH) });
      at += PATCH;
    }
    outcomes.push({ state, changes });
  }
  return outcomes;
}

function header(kind: number, count: number, bytes: number): Buffer {
  const message = Buffer.alloc(NATIVE.header + bytes);
  message.writeUInt32LE(NATIVE.magic, 0);
  message.writeUInt32LE(kind, 4);
  message.writeUInt32LE(count, 8);
  message.writeUInt32LE(bytes, 12);
  return message;
}

function padded(length: number): number {
  return (length + 7) & ~7;
}
