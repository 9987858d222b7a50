/** The unpacked QEMU as a program that can be started: its loader, its libraries, its firmware. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UnpinError } from '@unpin/contract/errors';
import { runtimeOf } from '../debian/runtime.ts';
import type { QemuProgram } from './qemu-command.ts';

const BINARY = 'usr/bin/qemu-system-x86_64';
/** Debian builds QEMU in modules, the emulation itself among them. */
const MODULES = 'usr/lib/x86_64-linux-gnu/qemu';
const FIRMWARE = ['usr/share/qemu', 'usr/share/seabios', 'usr/lib/ipxe/qemu'];

/** Looks into the folder that the asset `qemu` was unpacked to. Throws TEST_HOST_MISSING for one that is not whole. */
export function qemuProgram(folder: string): QemuProgram {
  const there = (paths: readonly string[]): string[] =>
    paths.map((path) => join(folder, path)).filter((path) => existsSync(path));
  const runtime = runtimeOf(folder);
  const [binary] = there([BINARY]);
  if (runtime === undefined || binary === undefined)
    throw new UnpinError('TEST_HOST_MISSING', {
      subject: 'QEMU',
      found: `${folder} without its program or its loader`,
    });
  return { ...runtime, binary, firmware: there(FIRMWARE), modules: join(folder, MODULES) };
}
