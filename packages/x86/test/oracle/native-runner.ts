import type { Job, Outcome } from './batch.ts';
import type { CpuState } from './cpu-state.ts';
import type { CaseRunner, Run } from './differ.ts';
import { CHUNK } from './layout.ts';
import type { NativeOracle } from './native.ts';

/** The host's processor in the place of what is compared with it: the oracle's own check, and a base for planted bugs. */
export class NativeRunner implements CaseRunner {
  readonly #native: NativeOracle;
  readonly #background: Uint8Array;

  constructor(native: NativeOracle, background: Uint8Array) {
    this.#native = native;
    this.#background = background;
  }

  async run(run: Run, state: CpuState, data: Uint8Array): Promise<string | undefined> {
    const job: Job = { state, code: run.code, patches: this.#patches(data) };
    const [outcome] = await this.#native.run([job]);
    if (outcome === undefined) throw new RangeError('the native oracle answered nothing');
    this.#apply(outcome, state, data);
    return undefined;
  }

  #patches(data: Uint8Array) {
    const patches = [];
    for (let offset = 0; offset < data.length; offset += CHUNK) {
      const bytes = data.subarray(offset, offset + CHUNK);
      if (Buffer.compare(bytes, this.#background.subarray(offset, offset + CHUNK)) !== 0)
        patches.push({ offset, bytes });
    }
    return patches;
  }

  #apply({ state: after, changes }: Outcome, state: CpuState, data: Uint8Array): void {
    state.copyFrom(after);
    for (const { offset, bytes } of changes) data.set(bytes, offset);
  }
}
