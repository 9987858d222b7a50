/** Whoever speaks over loopback: people and programs of this machine. */
export const LOCAL = 'local';

export function hostActor(host: string): string {
  return `host:${host}`;
}
