/** The initial root of a test host: busybox, the modules in order, and what is to be run. */
import { readFileSync } from 'node:fs';
import { UnpinError } from '@unpin/contract/errors';
import { busyboxInitrd, type InitrdFile } from '../initrd/busybox-initrd.ts';
import { type CommandSpec, commandScript, initScript, sessionScript, type TerminalSize } from './guest-scripts.ts';
import { modulesFolder, orderedModules } from './module-set.ts';

/** What Debian's generic kernel does not have built in: 9p over virtio, overlays, KVM on AMD. */
const MODULES = ['9pnet_virtio', '9p', 'overlay', 'kvm_amd'];

export interface InitramfsSpec extends CommandSpec {
  /** Path of a static busybox. */
  readonly busybox: string;
  /** The folder that the kernel's package was unpacked to. */
  readonly kernelFolder: string;
  readonly writable: readonly string[];
  readonly terminal: TerminalSize | undefined;
}

/** The archive. Throws TEST_HOST_MISSING where the kernel has no modules. */
export async function testHostInitramfs(spec: InitramfsSpec): Promise<Buffer> {
  const folder = modulesFolder(spec.kernelFolder);
  if (folder === undefined)
    throw new UnpinError('TEST_HOST_MISSING', {
      subject: "the test host's kernel",
      found: `no modules in ${spec.kernelFolder}`,
    });
  const modules = await orderedModules(folder, MODULES, spec.busybox);
  return busyboxInitrd({
    busybox: readFileSync(spec.busybox),
    init: initScript(modules.map(({ name }) => name)),
    files: [
      text('session', sessionScript(spec.terminal)),
      text('command', commandScript(spec)),
      text('etc/writable', spec.writable.map((path) => `${path}\n`).join('')),
      ...modules.map(({ name, data }) => ({ path: `modules/${name}.ko`, data })),
    ],
  });
}

function text(path: string, data: string): InitrdFile {
  return { path, data: Buffer.from(data) };
}
