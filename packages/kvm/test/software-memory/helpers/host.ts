import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { KvmError } from '../../../src/port/errors.ts';
import {
  ACCESS,
  type GuestAddressSpace,
  type GuestAddressSpaceOptions,
  Host,
  type HostOptions,
} from '../../../src/software/memory/index.ts';

export const PAGE = 4096;
export const MiB = 1 << 20;
/** Where host frames start in these tests. */
export const FIRST_FRAME = MiB;

/** KVM_MEM_*, KVM_MEMORY_ATTRIBUTE_PRIVATE, GUEST_MEMFD_FLAG_*: from the API document. */
export const MEM = { LOG: 1, READONLY: 2, GUEST_MEMFD: 4 } as const;
export const PRIVATE = 8;
export const GMEM = { MMAP: 1, INIT_SHARED: 2 } as const;

/** The same key for an ASID in every run. */
export const fixedKeys = (asid: number): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, at) => (at * 7 + asid) & 0xff);

/** A host with `frames` frames of memory, none of them touched. */
export function makeHost(frames: number, options: Partial<HostOptions> = {}): Host {
  const bytes = FIRST_FRAME + frames * PAGE;
  const pages = Math.ceil(bytes / 65_536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const buffer = memory.buffer;
  assert.ok(buffer instanceof SharedArrayBuffer);
  const firstFrame = buffer.byteLength - frames * PAGE;
  return new Host({ buffer, firstFrame, keys: fixedKeys, memlockLimit: () => Number.POSITIVE_INFINITY, ...options });
}

/** A VM's memory with one slot of host memory at guest address 0. */
export function makeGuest(host: Host, pages: number, options: Partial<GuestAddressSpaceOptions> = {}) {
  const space = host.createGuestAddressSpace({ tech: 'none', hasPrivateMemory: false, ...options });
  const memory = host.addresses.allocate(pages * PAGE);
  space.setUserMemoryRegion({ slot: 0, flags: 0, gpa: 0, size: memory.size, hva: memory.hva });
  return { space, memory };
}

/** An SEV guest under ASID 1 on memslots. */
export function makeSevGuest(host: Host, pages: number, asid = 1) {
  const { space, memory } = makeGuest(host, pages, { tech: 'sev' });
  if (!host.keys.isActive(asid)) host.keys.activate(asid);
  space.useAsid(asid);
  return { space, memory };
}

/** A VM with two sides: a slot of host memory and a guest_memfd at guest address 0. */
export function makeTwoSides(host: Host, pages: number, options: Partial<GuestAddressSpaceOptions>, flags = 0) {
  const space = host.createGuestAddressSpace({ tech: 'sw-protected', hasPrivateMemory: true, ...options });
  const memory = host.addresses.allocate(pages * PAGE);
  const file = space.createGuestMemfd(pages * PAGE, flags);
  const region = { slot: 0, flags: MEM.GUEST_MEMFD, gpa: 0, size: memory.size, hva: memory.hva };
  space.setUserMemoryRegion2({ ...region, guestMemfd: file.fd, guestMemfdOffset: 0 });
  if (space.tech === 'sev' || space.tech === 'snp') {
    if (!host.keys.isActive(1)) host.keys.activate(1);
    space.useAsid(1);
  }
  return { space, memory, file };
}

/** The address of the frame that an access reaches; any other answer fails. */
export function frameOf(space: GuestAddressSpace, gfn: number, access = 0): number {
  const { kind, address } = space.resolve(gfn, access);
  assert.equal(kind, 'frame');
  return address;
}

/** Writes bytes as the guest does, in the view that the access sees. */
export function guestWrite(host: Host, space: GuestAddressSpace, gfn: number, bytes: Uint8Array, access = 0): void {
  host.memory.bytes(frameOf(space, gfn, access | ACCESS.write)).set(bytes);
}

export function guestRead(host: Host, space: GuestAddressSpace, gfn: number, length: number, access = 0): Uint8Array {
  return host.memory.bytes(frameOf(space, gfn, access)).slice(0, length);
}

export const text = (words: string): Uint8Array => new TextEncoder().encode(words);

/** Passes for a KvmError with this errno. */
export const errno =
  (code: string) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof KvmError, String(error));
    assert.equal(error.code, code);
    return true;
  };

/** What the operating system says this process has in memory, in bytes (VmRSS). */
export function residentSet(): number {
  return Number(/^VmRSS:\s*(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
}
