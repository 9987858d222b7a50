/** Touches a page of memory that it opens by its handle, and posts that it could. */
import { parentPort, workerData } from 'node:worker_threads';
import { openLinuxKvm } from '../../src/linux/index.ts';
import type { HostMemoryHandle } from '../../src/port/host-memory.ts';

const { memory, offset } = workerData as { memory: HostMemoryHandle; offset: number };
const view = openLinuxKvm().openHostMemory(memory).view(offset, 1);
view[0] = 5;
parentPort?.postMessage(view[0]);
