import { agentRoutes, UnpinError } from '@unpin/contract';
import { type Client, createClient } from '@unpin/contract/client';
import type { Services } from '../services.ts';
import { findHost } from '../store/hosts.ts';
import { findVm, type VmRecord } from '../store/vms.ts';

/** Milliseconds that an agent has for an answer before its last report must do. */
const ANSWER_MS = 2000;

export type Asked<T> = { readonly answer: T } | { readonly silence: UnpinError };

/** Asks a VM's host. `silence` where it does not answer; what it answers, errors included, is its own. */
export async function askHost<T>(
  { store }: Services,
  vm: VmRecord,
  question: (agent: Client<typeof agentRoutes>, options: { timeoutMs: number }) => Promise<T>,
): Promise<Asked<T>> {
  const host = await store.read((db) => findHost(db, vm.host));
  if (host === undefined) return { silence: new UnpinError('SERVER_UNREACHABLE', { subject: `host ${vm.host}` }) };
  try {
    return { answer: await question(createClient(agentRoutes, host.endpoint), { timeoutMs: ANSWER_MS }) };
  } catch (error) {
    if (error instanceof UnpinError && error.code === 'SERVER_UNREACHABLE') return { silence: error };
    throw error;
  }
}

export async function existingVm({ store }: Services, name: string): Promise<VmRecord> {
  const vm = await store.read((db) => findVm(db, name));
  if (vm === undefined) throw noVm(name);
  return vm;
}

export function noVm(name: string): UnpinError {
  return new UnpinError('NOT_FOUND', { subject: `VM ${name}`, next: 'unpin vm list' });
}

/** An answer that nothing else can stand in for. @throws UnpinError SERVER_UNREACHABLE */
export function heard<T>(asked: Asked<T>): T {
  if ('silence' in asked) throw asked.silence;
  return asked.answer;
}
