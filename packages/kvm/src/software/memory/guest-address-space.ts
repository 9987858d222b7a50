import { PAGE_BYTES, type View } from '../../port/guest-memory.ts';
import type { U64 } from '../../port/u64.ts';
import type { ViewFinding } from '../../port/view-finding.ts';
import type { MemoryRegion, MemoryRegion2 } from '../../port/vm.ts';
import { ACCESS, type Resolved, type ResolvedKind } from './access.ts';
import { checkAttributes, MemoryAttributes } from './attributes.ts';
import type { Descriptors } from './descriptors.ts';
import type { SoftwareGuestMemfd } from './guest-memfd.ts';
import type { GuestMemfds } from './guest-memfds.ts';
import type { HostAddressSpace } from './host-address-space.ts';
import type { HostRange } from './host-range.ts';
import { isEncryptedAccess, type MemoryTech } from './memory-tech.ts';
import { Memslots } from './memslots.ts';
import { OutOfFramesError } from './out-of-frames.ts';
import { FRAME_SHIFT, type PhysicalMemory } from './physical-memory.ts';
import type { Slot } from './slot.ts';
import { ViewWatch } from './view-watch.ts';
import { RAW, type Views } from './views.ts';

/** Guest-physical address width unless a VM says otherwise: four levels of nested paging. */
const DEFAULT_PHYSICAL_BITS = 48;

export interface GuestAddressSpaceOptions {
  readonly tech: MemoryTech;
  /** Whether guest pages have the private attribute (KVM_CAP_MEMORY_ATTRIBUTES on the VM). */
  readonly hasPrivateMemory: boolean;
  /** How its guest_memfds are converted. Default: out-of-place, as Linux 6.18 does. */
  readonly conversion?: 'out-of-place' | 'in-place';
  /** 36 to 52. */
  readonly guestPhysicalBits?: number;
}

/** What a VM's memory lives in. */
export interface GuestAddressSpaceParts {
  /** Unique in the host. */
  readonly vm: number;
  readonly memory: PhysicalMemory;
  readonly views: Views;
  readonly host: HostAddressSpace;
  readonly descriptors: Descriptors;
  readonly guestMemfds: GuestMemfds;
}

/** Told that what guest pages [start, end) lead to must be asked for again. */
export type MappingListener = (start: number, end: number) => void;

/** One VM's guest-physical memory: slots, attributes, and the way from a guest page to a host frame. */
export class GuestAddressSpace {
  readonly vm: number;
  readonly options: GuestAddressSpaceOptions;
  readonly slots: Memslots;
  readonly attributes = new MemoryAttributes();
  /** First guest page that can't be. */
  readonly gfnEnd: number;
  #watch: ViewWatch | null = null;

  readonly #parts: GuestAddressSpaceParts;
  readonly #result: Resolved = { kind: 'mmio', address: 0, writable: false, isPrivate: false };
  readonly #listeners: MappingListener[] = [];
  #tech: MemoryTech;
  /** 0 as long as no key is in use: everything is raw. */
  #asid = 0;
  /** Pages to be cleared when they are first used through this view (an ASID, or RAW). */
  readonly #unused = new Map<number, number>();

  constructor(parts: GuestAddressSpaceParts, options: GuestAddressSpaceOptions) {
    this.vm = parts.vm;
    this.options = options;
    this.gfnEnd = 2 ** ((options.guestPhysicalBits ?? DEFAULT_PHYSICAL_BITS) - 12);
    this.#parts = parts;
    this.#tech = options.tech;
    this.slots = new Memslots({
      vm: parts.vm,
      descriptors: parts.descriptors,
      gfnEnd: this.gfnEnd,
      onChange: (start, end) => this.#tell(start, end),
    });
  }

  get tech(): MemoryTech {
    return this.#tech;
  }

  get asid(): number {
    return this.#asid;
  }

  /** A VM becomes an SEV one after its creation (KVM_SEV_INIT on a default VM). */
  becomeSev(): void {
    this.#tech = 'sev';
  }

  /** Its encrypted accesses go through this ASID's key from now on; 0 for none. */
  useAsid(asid: number): void {
    this.#asid = asid;
    this.#tell(0, this.gfnEnd);
  }

  /** KVM_SET_USER_MEMORY_REGION. */
  setUserMemoryRegion(region: MemoryRegion): void {
    this.slots.set(region, null);
  }

  /** KVM_SET_USER_MEMORY_REGION2. */
  setUserMemoryRegion2(region: MemoryRegion2): void {
    this.slots.set(region, region);
  }

  /** KVM_CREATE_GUEST_MEMFD. KvmError EINVAL. */
  createGuestMemfd(size: U64, flags: U64 = 0): SoftwareGuestMemfd {
    const { hasPrivateMemory, conversion } = this.options;
    const inPlace = conversion === 'in-place' && hasPrivateMemory;
    return this.#parts.guestMemfds.create({ vm: this.vm, size, flags, inPlace, hasPrivateMemory });
  }

  /** KVM_SET_MEMORY_ATTRIBUTES. KvmError EINVAL; EAGAIN where in-place conversion meets a pin. */
  setMemoryAttributes(gpa: U64, size: U64, attributes: U64, flags: U64 = 0): void {
    const range = checkAttributes({ gpa, size, attributes, flags }, this.options.hasPrivateMemory);
    // The in-place files of the range know for themselves.
    for (const slot of this.slots.all()) {
      const start = Math.max(range.start, slot.gfn);
      const end = Math.min(range.end, slot.gfn + slot.pages);
      if (start >= end || slot.file?.shape.inPlace !== true) continue;
      const page = slot.filePage - slot.gfn;
      slot.file.convertPages('KVM_SET_MEMORY_ATTRIBUTES', page + start, page + end, range.view);
    }
    for (const run of this.attributes.set(range)) {
      if (this.#watch !== null) this.#noteConversion(this.#watch, run.start, run.end, range.view);
      this.#tell(run.start, run.end);
    }
  }

  /** The view that a page is to have by its attribute. */
  attributeOf(gfn: number): View {
    const slot = this.slots.find(gfn);
    return this.#isPrivate(gfn, slot) ? 'private' : 'shared';
  }

  /** KVM_GET_DIRTY_LOG; see Memslots.takeDirtyLog. */
  takeDirtyLog(slot: number, pages: number): Uint8Array {
    return this.slots.takeDirtyLog(slot, pages);
  }

  /**
   * What stands behind a guest page for one access (bits of ACCESS). Touches: a page without a frame gets one. The
   * answer is reused by the next call.
   */
  resolve(gfn: number, access: number): Resolved {
    try {
      return this.#resolve(gfn, access);
    } catch (error) {
      if (error instanceof OutOfFramesError) return this.#answer('enomem');
      throw error;
    }
  }

  /** Who sees what the guest does through its two views, once there is anyone. */
  get watch(): ViewWatch | null {
    return this.#watch;
  }

  watchViews(): void {
    this.#watch ??= new ViewWatch(this.#parts.memory);
  }

  /** What an access (bits of ACCESS) is to whoever watches, before `resolve` makes it; null where it is nothing. */
  look(gfn: number, access: number): ViewFinding | null {
    const watch = this.#watch;
    const slot = this.slots.find(gfn);
    if (watch === null || this.#tech !== 'sev' || slot === undefined || slot.file === null) return null;
    const isPrivate = this.#isPrivate(gfn, slot);
    return watch.look({
      gfn,
      address: this.#frameNow(slot, slot.file, gfn, isPrivate),
      view: isEncryptedAccess('sev', access) ? this.#asid : RAW,
      isWrite: (access & ACCESS.write) !== 0,
      isPrivate,
    });
  }

  /** Calls the listener after each change of slots, attributes and logs, until the answer is called. */
  onMappingChange(listener: MappingListener): () => void {
    this.#listeners.push(listener);
    return () => {
      const at = this.#listeners.indexOf(listener);
      if (at >= 0) this.#listeners.splice(at, 1);
    };
  }

  /**
   * The raw frame of a page's shared side, for KVM's own reads and writes (kvm-clock, steal time): 0 where there is no
   * slot, no memory, or a write to a read-only slot. Logs a write.
   */
  sharedFrame(gfn: number, isWrite: boolean): number {
    const slot = this.slots.find(gfn);
    if (slot === undefined || (isWrite && slot.isReadOnly)) return 0;
    const range = this.#rangeOf(slot, gfn);
    if (range === null) return 0;
    const address = range.backing.touch(this.#pageIn(range, slot, gfn));
    this.#parts.views.materialise(address, RAW);
    if (isWrite) slot.dirty?.mark(gfn - slot.gfn);
    return address;
  }

  /**
   * What a view shows of a page on one of its sides, a copy; null where that side has no frame. Nothing is touched: for
   * whoever explains what a guest has seen. Where one side serves both views, `side` is no matter.
   */
  peek(gfn: number, side: View, view: View): Uint8Array | null {
    const address = this.#sideNow(gfn, side);
    return address === 0 ? null : this.#parts.views.peek(address, view === 'private' ? this.#asid : RAW);
  }

  /**
   * What a page shows through a view that it was not used through yet is left to chance; this page will show zeros there.
   * For guests that are to see the same, whatever their memory is made of.
   */
  clearAtFirstUse(gfn: number, view: View): void {
    this.#unused.set(gfn, view === 'private' ? this.#asid : RAW);
  }

  /** The view that was last used of a page on one of its sides; null where that side has no frame. Touches nothing. */
  viewInUse(gfn: number, side: View): View | null {
    const address = this.#sideNow(gfn, side);
    if (address === 0) return null;
    return this.#parts.memory.tags[address >>> FRAME_SHIFT] === RAW ? 'shared' : 'private';
  }

  /** The VM is gone: its slots leave their files, nobody is told any more. */
  close(): void {
    this.#listeners.length = 0;
    this.slots.clear();
  }

  #resolve(gfn: number, access: number): Resolved {
    const tech = this.#tech;
    const slot = this.slots.find(gfn);
    let encrypted = isEncryptedAccess(tech, access);
    if (!this.options.hasPrivateMemory) {
      if (slot === undefined) return this.#answer('mmio');
      return slot.file?.isMappable === true
        ? this.#fileFrame(slot, slot.file, gfn, encrypted, false)
        : this.#hostFrame(slot, gfn, access, encrypted);
    }
    const isPrivate = this.#isPrivate(gfn, slot);
    if (tech === 'sw-protected') encrypted = isPrivate;
    if (tech !== 'sev') {
      if (encrypted !== isPrivate) return this.#fault(encrypted);
      if (isPrivate && (slot === undefined || slot.file === null)) return this.#fault(true);
    }
    if (slot === undefined) return this.#answer('mmio');
    if (slot.file === null) return this.#hostFrame(slot, gfn, access, encrypted);
    const result = this.#isInFile(slot.file, isPrivate)
      ? this.#fileFrame(slot, slot.file, gfn, encrypted, isPrivate)
      : this.#hostFrame(slot, gfn, access, encrypted);
    if (this.#watch === null || result.kind !== 'frame') return result;
    const isWrite = (access & ACCESS.write) !== 0;
    const view = encrypted ? this.#asid : RAW;
    // The first write through this view must be seen.
    if (!this.#watch.pass({ gfn, address: result.address, view, isWrite, isPrivate })) result.writable = false;
    return result;
  }

  /** Whether a page of a slot with a guest_memfd lies in it. */
  #isInFile(file: SoftwareGuestMemfd, isPrivate: boolean): boolean {
    return isPrivate || file.isMappable || file.shape.inPlace;
  }

  /** The frame that a page has now, 0 for none. */
  #frameNow(slot: Slot, file: SoftwareGuestMemfd, gfn: number, isPrivate: boolean): number {
    if (this.#isInFile(file, isPrivate)) return file.isOpen ? file.backing.frameAt(slot.filePage + gfn - slot.gfn) : 0;
    return this.#hostFrameNow(slot, gfn);
  }

  #sideNow(gfn: number, side: View): number {
    const slot = this.slots.find(gfn);
    if (slot === undefined) return 0;
    return slot.file === null
      ? this.#hostFrameNow(slot, gfn)
      : this.#frameNow(slot, slot.file, gfn, side === 'private');
  }

  #hostFrameNow(slot: Slot, gfn: number): number {
    const range = this.#rangeOf(slot, gfn);
    return range === null ? 0 : range.backing.frameAt(this.#pageIn(range, slot, gfn));
  }

  /** Pages [start, end) have got another attribute: their old frames are there still. In-place files keep them. */
  #noteConversion(watch: ViewWatch, start: number, end: number, to: View): void {
    watch.forget(start, end);
    const wasPrivate = to === 'shared';
    for (const slot of this.slots.all()) {
      const { file } = slot;
      if (file === null || file.isMappable || file.shape.inPlace) continue;
      const from = Math.max(start, slot.gfn);
      const until = Math.min(end, slot.gfn + slot.pages);
      if (wasPrivate) {
        const shift = slot.gfn - slot.filePage;
        file.backing.forEach(from - shift, until - shift, (page, address) =>
          watch.converted(page + shift, address, true),
        );
      } else this.#eachShared(slot, from, until, (gfn, address) => watch.converted(gfn, address, false));
    }
  }

  /** Visits the pages of [start, end) that have a frame on the shared side. */
  #eachShared(slot: Slot, start: number, end: number, visit: (gfn: number, address: number) => void): void {
    for (let gfn = start; gfn < end; ) {
      const range = this.#rangeOf(slot, gfn);
      if (range === null) {
        gfn += 1;
        continue;
      }
      const shift = gfn - this.#pageIn(range, slot, gfn);
      const until = Math.min(end, range.pages + shift);
      range.backing.forEach(gfn - shift, until - shift, (page, address) => visit(page + shift, address));
      gfn = until;
    }
  }

  #fileFrame(slot: Slot, file: SoftwareGuestMemfd, gfn: number, encrypted: boolean, isPrivate: boolean): Resolved {
    // The slot doesn't hold the file.
    if (!file.isOpen) return this.#fault(isPrivate);
    const address = file.backing.touch(slot.filePage + gfn - slot.gfn);
    return this.#frame(gfn, address, encrypted, true);
  }

  #hostFrame(slot: Slot, gfn: number, access: number, encrypted: boolean): Resolved {
    const isWrite = (access & ACCESS.write) !== 0;
    if (isWrite && slot.isReadOnly) return this.#answer('mmio');
    const range = this.#rangeOf(slot, gfn);
    if (range === null) return this.#answer('efault');
    const address = range.backing.touch(this.#pageIn(range, slot, gfn));
    const { dirty } = slot;
    if (dirty === null) return this.#frame(gfn, address, encrypted, !slot.isReadOnly);
    if (isWrite) dirty.mark(gfn - slot.gfn);
    return this.#frame(gfn, address, encrypted, !slot.isReadOnly && dirty.isMarked(gfn - slot.gfn));
  }

  #frame(gfn: number, address: number, encrypted: boolean, writable: boolean): Resolved {
    const view = encrypted ? this.#asid : RAW;
    if (this.#parts.memory.tags[address >>> FRAME_SHIFT] !== view) this.#changeView(gfn, address, view);
    const result = this.#answer('frame');
    result.address = address;
    result.writable = writable;
    return result;
  }

  #changeView(gfn: number, address: number, view: number): void {
    if (this.#unused.get(gfn) === view) {
      this.#unused.delete(gfn);
      this.#parts.views.clear(address, view);
    } else this.#parts.views.materialise(address, view);
  }

  #fault(isPrivate: boolean): Resolved {
    const result = this.#answer('memory-fault');
    result.isPrivate = isPrivate;
    return result;
  }

  #answer(kind: ResolvedKind): Resolved {
    const result = this.#result;
    result.kind = kind;
    result.address = 0;
    result.writable = false;
    result.isPrivate = false;
    return result;
  }

  #isPrivate(gfn: number, slot: Slot | undefined): boolean {
    if (slot?.file?.shape.inPlace === true) return slot.file.attributeOf(slot.filePage + gfn - slot.gfn) === 'private';
    return this.attributes.isPrivate(gfn);
  }

  /** The usable range of host addresses behind a guest page. */
  #rangeOf(slot: Slot, gfn: number): HostRange | null {
    const hva = slot.hva + (gfn - slot.gfn) * PAGE_BYTES;
    let { range } = slot;
    if (range === null || !range.isMapped || !range.contains(hva)) {
      range = this.#parts.host.find(hva) ?? null;
      slot.range = range;
    }
    return range?.isAccessible((hva - range.hva) / PAGE_BYTES) === true ? range : null;
  }

  #pageIn(range: HostRange, slot: Slot, gfn: number): number {
    return (slot.hva - range.hva) / PAGE_BYTES + gfn - slot.gfn;
  }

  #tell(start: number, end: number): void {
    for (const listener of this.#listeners) listener(start, end);
  }
}
