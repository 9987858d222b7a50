import {
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  mapMemory,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
  protectMemory,
  unmapMemory,
} from './memory-map.ts';
import { detachView, viewMemory } from './memory-view.ts';

const PAGE = 4096;

/**
 * Lets the kernel write up to `length` bytes (at least 1) at an address, and answers a copy of them. For calls that
 * write as much as the kernel thinks right: the byte after the last is no memory, so that more is EFAULT and no
 * corruption of this process.
 */
export function readGuarded(length: number, write: (address: number) => void): Uint8Array {
  const usable = Math.max(1, Math.ceil(length / PAGE)) * PAGE;
  const flags = MAP_PRIVATE | MAP_ANONYMOUS;
  const start = mapMemory({ length: usable + PAGE, protection: PROT_READ | PROT_WRITE, flags, fd: -1 });
  try {
    protectMemory(start + usable, PAGE, PROT_NONE);
    write(start + usable - length);
    // Safety: detached before it is unmapped.
    const view = viewMemory(start, usable);
    const bytes = new Uint8Array(view).slice(usable - length);
    detachView(view);
    return bytes;
  } finally {
    unmapMemory(start, usable + PAGE);
  }
}
