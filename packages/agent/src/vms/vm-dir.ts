import { join } from 'node:path';
import type { VmSockets } from '@unpin/contract';

/**
 * A VM's directory on its host, named by its uid. What has happened is told by which files are there, so that an agent
 * that starts anew knows as much as the one before:
 *
 * - nothing: the VM was never started;
 * - `refused.json`: it was not started, and why; it never will be;
 * - `launching`: written before its VMM is spawned, and never taken away: from here on it is never spawned again;
 * - `process.json`: the VMM's identity, where the agent lived to write it;
 * - `boot/`: kernel and initrd that were taken out of a disk image;
 * - `vmm.out`, `vmm.log`: what the VMM prints: its ready line and last line, and its words.
 */
export class VmDir {
  readonly path: string;

  constructor(stateDir: string, uid: string) {
    this.path = join(vmsDir(stateDir), uid);
  }

  get order(): string {
    return join(this.path, 'order.json');
  }

  get refused(): string {
    return join(this.path, 'refused.json');
  }

  get boot(): string {
    return join(this.path, 'boot');
  }

  get launching(): string {
    return join(this.path, 'launching');
  }

  get process(): string {
    return join(this.path, 'process.json');
  }

  get output(): string {
    return join(this.path, 'vmm.out');
  }

  get log(): string {
    return join(this.path, 'vmm.log');
  }

  get sockets(): VmSockets {
    return { api: join(this.path, 'api.sock'), console: join(this.path, 'console.sock') };
  }
}

export function vmsDir(stateDir: string): string {
  return join(stateDir, 'vms');
}
