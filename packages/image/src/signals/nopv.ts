import type { Evidence } from '@unpin/policy';

/**
 * `nopv` on the kernel's command line: the kernel then doesn't look for its hypervisor and installs no hook. What
 * follows `--` is for init and says nothing.
 */
export function findNopv(commandLine: string | undefined): Evidence | undefined {
  if (commandLine === undefined) return undefined;
  const words = commandLine.split(/\s+/);
  const end = words.indexOf('--');
  const found = (end < 0 ? words : words.slice(0, end)).find((word) => word === 'nopv' || word.startsWith('nopv='));
  return found === undefined ? undefined : { signal: 'nopv', where: 'command line', seen: found };
}
