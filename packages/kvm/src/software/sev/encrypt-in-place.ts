import { PAGE_BYTES } from '../../port/guest-memory.ts';
import type { GuestAddressSpace, Host } from '../memory/index.ts';
import { RAW } from '../memory/index.ts';

/** Block of the cipher, in bytes: what addresses and lengths of launch commands are multiples of. */
export const BLOCK_BYTES = 16;

/** Where the bytes at a host address end up that a launch command encrypts. */
interface Target {
  /** The frame that holds the plain bytes now. */
  readonly from: number;
  /** The frame that the guest will read as private. */
  readonly to: number;
}

/**
 * Encrypts [hva, hva + length) for a guest as LAUNCH_UPDATE_DATA does, a page at a time, and tells each piece's plain
 * bytes. Pages are encrypted where they are; what stands for the shared side of private guest_memfd memory goes there,
 * as SNP_LAUNCH_UPDATE copies it. False where memory ends, with everything before done.
 */
export function encryptInPlace(
  { host, space, asid }: { readonly host: Host; readonly space: GuestAddressSpace; readonly asid: number },
  hva: number,
  length: number,
  tell: (plain: Uint8Array) => void,
): boolean {
  const { memory, views } = host;
  for (let at = 0; at < length; ) {
    const inPage = (hva + at) % PAGE_BYTES;
    const count = Math.min(PAGE_BYTES - inPage, length - at);
    const target = targetOf(host, space, hva + at);
    if (target === null) return false;
    views.materialise(target.from, RAW);
    const plain = memory.bytes(target.from).slice(inPage, inPage + count);
    tell(plain);
    if (target.to !== target.from) {
      views.materialise(target.to, RAW);
      memory.bytes(target.to).set(plain, inPage);
    }
    views.encryptInPlace(target.to, inPage, count, asid);
    at += count;
  }
  return true;
}

function targetOf(host: Host, space: GuestAddressSpace, hva: number): Target | null {
  const range = host.addresses.find(hva);
  const page = range === undefined ? 0 : Math.floor((hva - range.hva) / PAGE_BYTES);
  if (range?.isAccessible(page) !== true) return null;
  const from = range.backing.touch(page);
  for (const slot of space.slots.all()) {
    const gfn = slot.gfn + Math.floor((hva - slot.hva) / PAGE_BYTES);
    if (slot.file === null || !slot.contains(gfn) || space.attributeOf(gfn) !== 'private') continue;
    return { from, to: slot.file.backing.touch(slot.filePage + gfn - slot.gfn) };
  }
  return { from, to: from };
}

/** A copy of what the guest reads as private at [hva, hva + length), or null where memory ends (DBG_DECRYPT). */
export function readDecrypted(host: Host, asid: number, hva: number, length: number): Uint8Array | null {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const inPage = (hva + at) % PAGE_BYTES;
    const count = Math.min(PAGE_BYTES - inPage, length - at);
    const range = host.addresses.find(hva + at);
    const page = range === undefined ? 0 : Math.floor((hva + at - range.hva) / PAGE_BYTES);
    if (range?.isAccessible(page) !== true) return null;
    const frame = range.backing.touch(page);
    host.views.materialise(frame, asid);
    bytes.set(host.memory.bytes(frame).subarray(inPage, inPage + count), at);
    at += count;
  }
  return bytes;
}

/** Writes bytes that the guest then reads as private (DBG_ENCRYPT). False where memory ends. */
export function writeEncrypted(host: Host, asid: number, hva: number, bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; ) {
    const inPage = (hva + at) % PAGE_BYTES;
    const count = Math.min(PAGE_BYTES - inPage, bytes.length - at);
    const range = host.addresses.find(hva + at);
    const page = range === undefined ? 0 : Math.floor((hva + at - range.hva) / PAGE_BYTES);
    if (range?.isAccessible(page) !== true) return false;
    const frame = range.backing.touch(page);
    host.views.materialise(frame, asid);
    host.memory.bytes(frame).set(bytes.subarray(at, at + count), inPage);
    host.memory.wrote(frame + inPage, count);
    at += count;
  }
  return true;
}
