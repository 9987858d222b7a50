import { PAGE_BYTES } from '../../port/guest-memory.ts';
import type { Backing } from './backing.ts';
import type { GuestAddressSpace } from './guest-address-space.ts';
import { SoftwareGuestMemfd } from './guest-memfd.ts';
import type { Host } from './host.ts';
import { FRAME_BYTES, FRAME_SHIFT } from './physical-memory.ts';
import { filledFrames, restoreFrames, saveFrames } from './save-frames.ts';
import type { Slot } from './slot.ts';
import {
  type BackingState,
  type GuestAddressSpaceState,
  type HostState,
  type SlotState,
  SnapshotError,
} from './state.ts';

/** The memory of a host as data. SnapshotError where a mapping's guest_memfd was closed: nothing could reopen it. */
export function saveHost(host: Host): HostState {
  const files = host.descriptors.all().filter((file) => file instanceof SoftwareGuestMemfd);
  for (const { file, shape } of host.addresses.ranges())
    if (file?.isOpen === false)
      throw new SnapshotError(`the guest_memfd that is mapped at ${shape.hva.toString(16)} was closed`);
  return {
    frames: saveFrames(host.memory, host.keys),
    backings: host.backings.all().map(saveBacking),
    ranges: host.addresses.ranges().map((range) => ({
      shape: range.shape,
      backing: range.backing.id,
      name: host.addresses.memfdName(range.shape.fd),
      protected: range.protectedRuns(),
    })),
    files: files.map((file) => ({
      shape: file.shape,
      backing: file.backing.id,
      attributes: file.shape.inPlace ? file.attributeRuns() : [],
    })),
    keys: host.keys.entries(),
    nextDescriptor: host.descriptors.next,
  };
}

/**
 * Brings saved memory back into a host that holds none yet. Frames, host addresses and descriptors are what they were.
 * SnapshotError where the host is in use or too small.
 */
export function restoreHost(host: Host, state: HostState): void {
  if (host.memory.figures().usedFrames > 0 || host.backings.all().length > 0)
    throw new SnapshotError('memory is restored only into a host that holds none');
  checkRoom(host, state);
  for (const [asid, key] of state.keys) host.keys.activate(asid, key);
  for (const backing of state.backings) restoreBacking(host, backing);
  restoreFrames(host.memory, state.frames);
  for (const { shape, backing, attributes } of state.files) {
    const file = host.guestMemfds.reopen(shape, backingOf(host, backing));
    for (const { start, end, value } of attributes) file.convertPages('restore', start, end, value);
  }
  for (const { shape, backing, name, protected: without } of state.ranges) {
    const file = shape.kind === 'guest_memfd' ? host.descriptors.get(shape.fd) : undefined;
    const mapped = file instanceof SoftwareGuestMemfd ? file : null;
    const range = host.addresses.restore(shape, name, backingOf(host, backing), mapped);
    for (const { start, end } of without) range.protect(start, end, 'none');
  }
  host.descriptors.skipTo(state.nextDescriptor);
}

/** A VM's slots and attributes as data. SnapshotError for a slot whose guest_memfd was closed. */
export function saveGuestAddressSpace(space: GuestAddressSpace): GuestAddressSpaceState {
  return {
    vm: space.vm,
    options: space.options,
    tech: space.tech,
    asid: space.asid,
    slots: space.slots.all().map(saveSlot),
    privateRuns: space.attributes.privateRuns(space.gfnEnd),
  };
}

/** The same VM's memory again, in a host whose memory was restored. */
export function restoreGuestAddressSpace(host: Host, state: GuestAddressSpaceState): GuestAddressSpace {
  const space = host.createGuestAddressSpace({ ...state.options, tech: state.tech }, state.vm);
  for (const { dirty, guestMemfd, guestMemfdOffset, ...region } of state.slots) {
    space.slots.set(region, { guestMemfd, guestMemfdOffset });
    if (dirty !== null) space.slots.find(region.gpa / PAGE_BYTES)?.dirty?.load(dirty);
  }
  for (const { start, end } of state.privateRuns) space.attributes.set({ start, end, view: 'private' });
  space.useAsid(state.asid);
  return space;
}

function saveBacking(backing: Backing): BackingState {
  const pages = new Float64Array(backing.allocatedPages);
  const frames = new Int32Array(backing.allocatedPages);
  let at = 0;
  backing.forEach(0, Number.POSITIVE_INFINITY, (page, address) => {
    pages[at] = page;
    frames[at++] = address >>> FRAME_SHIFT;
  });
  return { id: backing.id, kind: backing.kind, pages, frames };
}

function restoreBacking(host: Host, { id, kind, pages, frames }: BackingState): void {
  const backing = host.backings.create(kind, id);
  for (const [at, page] of pages.entries()) {
    const address = (frames[at] ?? 0) * FRAME_BYTES;
    host.memory.allocateAt(address, id, page);
    backing.replace(page, address);
  }
}

function backingOf(host: Host, id: number): Backing {
  const backing = host.backings.get(id);
  if (backing === undefined) throw new SnapshotError(`the snapshot has no memory object ${id}`);
  return backing;
}

function checkRoom({ memory }: Host, { frames: { numbers, zeros, bytes } }: HostState): void {
  const first = numbers[0] ?? memory.firstFrame / FRAME_BYTES;
  const last = numbers.at(-1) ?? first;
  if (first * FRAME_BYTES < memory.firstFrame || (last + 1) * FRAME_BYTES > memory.buffer.byteLength)
    throw new SnapshotError(`frames ${first} to ${last} are not all inside this host's memory`);
  if (zeros.length !== numbers.length || bytes.length !== filledFrames(zeros) * FRAME_BYTES)
    throw new SnapshotError('the snapshot lacks bytes');
}

function saveSlot(slot: Slot): SlotState {
  if (slot.file?.isOpen === false) throw new SnapshotError(`the guest_memfd of slot ${slot.id} was closed`);
  return {
    slot: slot.id,
    flags: slot.flags,
    gpa: slot.gfn * PAGE_BYTES,
    size: slot.pages * PAGE_BYTES,
    hva: slot.hva,
    guestMemfd: slot.file?.fd ?? -1,
    guestMemfdOffset: slot.filePage * PAGE_BYTES,
    dirty: slot.dirty === null ? null : Uint8Array.from(slot.dirty.bytes),
  };
}
