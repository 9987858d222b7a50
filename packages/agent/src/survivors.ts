import { readdirSync, readFileSync } from 'node:fs';
import type { LaunchOrder } from '@unpin/contract';
import { observe } from './vms/observe.ts';
import { VmDir, vmsDir } from './vms/vm-dir.ts';

/** A VM that runs on this machine, whether or not agent and control plane do. */
export interface Survivor {
  readonly name: string;
  readonly uid: string;
  readonly type: string;
  readonly pid: number;
  readonly consolePath: string;
}

/** The VMs of a state directory that run now, by looking at directories and processes alone. */
export function runningVms(stateDir: string): Survivor[] {
  let uids: string[];
  try {
    uids = readdirSync(vmsDir(stateDir));
  } catch {
    return [];
  }
  return uids.flatMap((uid) => {
    const dir = new VmDir(stateDir, uid);
    const observed = observe(dir, undefined);
    if (observed.kind !== 'running') return [];
    const { name, type } = JSON.parse(readFileSync(dir.order, 'utf8')) as LaunchOrder;
    return [{ name, uid, type, pid: observed.process.pid, consolePath: dir.sockets.console }];
  });
}

/** What to tell a person whose `unpin up` ends while VMs run: which go on, and how to end them. Empty for none. */
export function farewell(survivors: readonly Survivor[]): string[] {
  if (survivors.length === 0) return [];
  return [
    'These VMs go on without the control plane:',
    ...survivors.map(({ name, type, pid }) => `  ${name} (${type}, process ${pid})`),
    `Stop one: \`unpin up\`, then \`unpin vm stop ${survivors[0]?.name ?? 'NAME'}\`; or without a control plane: \`kill ${survivors[0]?.pid ?? 'PID'}\`.`,
  ];
}
