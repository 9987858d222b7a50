import { KvmError } from '../port/errors.ts';
import type { HostMemory, HostMemoryHandle } from '../port/host-memory.ts';
import { closeFile } from '../sys/file.ts';
import { createMemfd } from '../sys/memfd.ts';
import {
  adviseMemory,
  MADV_HUGEPAGE,
  MADV_NOHUGEPAGE,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_SHARED,
  mapMemory,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
  unmapMemory,
} from '../sys/memory-map.ts';
import { LinuxHostMemory, linuxMemory } from './host-memory.ts';

const HUGE_PAGE_BYTES = 2 << 20;

/** `hugePages`: true advises them, false advises against, left out takes what the machine does. */
export interface AllocateOptions {
  readonly hugePages?: boolean;
}

/** Anonymous memory, none of it touched. On a 2 MiB boundary, so that huge pages fit on both sides of KVM. */
export function allocateAnonymous(size: number, options: AllocateOptions = {}): HostMemory {
  const hva = mapAligned(size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  advise(hva, size, options);
  return new LinuxHostMemory({ backend: 'linux', hva, size, kind: 'anonymous', fd: -1 }, { mapping: true, fd: false });
}

/** A memfd, mapped whole and shared. The same boundary. */
export function allocateMemfd(name: string, size: number, options: AllocateOptions = {}): HostMemory {
  const fd = createMemfd(name, size);
  try {
    const hva = mapAligned(size, MAP_SHARED | MAP_NORESERVE, fd);
    advise(hva, size, options);
    return new LinuxHostMemory({ backend: 'linux', hva, size, kind: 'memfd', fd }, { mapping: true, fd: true });
  } catch (error) {
    closeFile(fd);
    throw error;
  }
}

/** Maps a guest_memfd, whose descriptor stays its own. Errors: ENODEV unless created with GUEST_MEMFD_FLAG_MMAP. */
export function mapGuestMemfd(fd: number, size: number): HostMemory {
  const hva = mapAligned(size, MAP_SHARED, fd);
  return new LinuxHostMemory({ backend: 'linux', hva, size, kind: 'guest_memfd', fd }, { mapping: true, fd: false });
}

/** The same memory in another thread: it owns neither the mapping nor the descriptor. TypeError for another backend's. */
export function openHostMemory(handle: HostMemoryHandle): HostMemory {
  return new LinuxHostMemory(linuxMemory(handle), { mapping: false, fd: false });
}

/** Reserves more than is needed, keeps the aligned middle, and maps over it. */
function mapAligned(size: number, flags: number, fd: number): number {
  if (!Number.isSafeInteger(size) || size <= 0) throw new RangeError(`${size} bytes can't be mapped`);
  const mapped = Math.ceil(size / 4096) * 4096;
  const reservation = { protection: PROT_NONE, flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, fd: -1 };
  const start = mapMemory({ ...reservation, length: mapped + HUGE_PAGE_BYTES });
  const hva = Math.ceil(start / HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES;
  if (hva > start) unmapMemory(start, hva - start);
  unmapMemory(hva + mapped, start + HUGE_PAGE_BYTES - hva);
  try {
    // Safety: MAP_FIXED covers only what was just reserved.
    return mapMemory({ address: hva, length: size, protection: PROT_READ | PROT_WRITE, flags: flags | MAP_FIXED, fd });
  } catch (error) {
    unmapMemory(hva, mapped);
    throw error;
  }
}

function advise(hva: number, size: number, options: AllocateOptions): void {
  if (options.hugePages === undefined) return;
  try {
    adviseMemory(hva, size, options.hugePages ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  } catch (error) {
    // EINVAL: a kernel without transparent huge pages. Advice is no promise.
    if (!(error instanceof KvmError && error.code === 'EINVAL')) throw error;
  }
}
