import type { Db } from '../../src/store/store.ts';
import type { NewVm } from '../../src/store/vms.ts';

/** An image that VMs may name. */
export async function withImage(db: Db, name: string): Promise<void> {
  const boot = JSON.stringify({ kind: 'probe', flavour: 'honest' });
  const row = { name, boot, built_in: 0, state: 'ready', generation: 1, created_at: 1 };
  await db.insertInto('images').values(row).execute();
}

export function newVm(name: string, differs: Partial<NewVm> = {}): NewVm {
  return {
    name,
    uid: `uid-${name}`,
    image: 'debian',
    boot: { kind: 'probe', flavour: 'honest' },
    bootSet: '00',
    type: 'standard',
    memoryBytes: 2 ** 21,
    pinnedBytes: 0,
    allow: ['hardware'],
    decision: { type: 'standard', outcome: 'may', reasons: [], alternatives: [] },
    probation: undefined,
    host: 'here',
    execution: 'hardware',
    confidential: false,
    createdAt: 1_795_000_000_000,
    ...differs,
  };
}
