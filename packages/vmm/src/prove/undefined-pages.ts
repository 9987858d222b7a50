import { PAGE_BYTES, type View } from '@unpin/kvm';
import type { SoftwareVm } from '@unpin/kvm/software';
import type { ConversionRecord } from '../machine/messages.ts';

/**
 * What a page holds behind a conversion is left to chance: as `sev` the old bytes through another view, as `sev-upm` those
 * of a new page. A guest that looks at them before it writes any has lost nothing, so that both show it zeros. Only in the
 * view that it asked for, and only what it has not used through that view already: bytes that it still needs stay.
 */
export class UndefinedPages {
  readonly #vm: SoftwareVm;
  /** All others are private, as a guest begins. */
  readonly #shared = new Set<number>();

  constructor(vm: SoftwareVm) {
    this.#vm = vm;
  }

  converted({ gpa, bytes, to, ret }: ConversionRecord): void {
    if (ret !== 0) return;
    const end = (gpa + bytes) / PAGE_BYTES;
    for (let gfn = gpa / PAGE_BYTES; gfn < end; gfn++) if (this.#changes(gfn, to)) this.#leave(gfn, to);
  }

  #changes(gfn: number, to: View): boolean {
    if (to === 'private') return this.#shared.delete(gfn);
    if (this.#shared.has(gfn)) return false;
    this.#shared.add(gfn);
    return true;
  }

  #leave(gfn: number, to: View): void {
    if (this.#vm.viewInUse(gfn, to) !== to) this.#vm.clearAtFirstUse(gfn, to);
  }
}
