/** Touches a page of memory that it opens by its handle, and posts that it could. */
import { parentPort, workerData } from 'node:worker_threads';
import { openLinuxKvm } from '../../src/linux/index.ts';
import type { HostMemoryHandle } from '../../src/port/host-memory.ts';

const { memory, offset } = workerData as { memory: HostMemoryHandle; offset: number };
const again = openLinuxKvm().openHostMemory(memory);
again.write(offset, Uint8Array.of(5));
parentPort?.postMessage(again.read(offset, 1)[0]);
