/** Readers that do what none may do: whoever watches must see it. */
import { readFileSync } from 'node:fs';
import type { HostileFormat } from './format.ts';

function reader(name: string, read: () => void): HostileFormat {
  return {
    name,
    seeds: () => [Buffer.alloc(16)],
    change: () => undefined,
    read: async () => {
      read();
      return [];
    },
  };
}

const kept: Buffer[] = [];

export const MISBEHAVING: readonly HostileFormat[] = [
  reader('crashes', () => {
    throw new TypeError('undefined is not an object');
  }),
  reader('hangs', () => {
    for (;;);
  }),
  reader('leaves', () => process.exit(0)),
  reader('eats', () => {
    for (;;) kept.push(Buffer.alloc(2 ** 24, 1));
  }),
  reader('escapes', () => {
    readFileSync('/etc/hostname');
  }),
];
