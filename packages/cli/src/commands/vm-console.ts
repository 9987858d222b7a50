import { UnpinError } from '@unpin/contract';
import { controlClient } from '../control-client.ts';
import { attachConsole } from '../local/console.ts';
import type { GlobalOptions } from '../program.ts';

export async function vmConsole(globals: GlobalOptions, name: string): Promise<number> {
  const vm = await controlClient(globals).getVm({ params: { name } });
  if (vm.sockets === undefined || vm.state === 'ended' || vm.state === 'failed')
    throw new UnpinError('CONFLICT', {
      subject: `console of ${name}`,
      found: `the VM is ${vm.state}`,
      needed: 'a running VM',
      next: `unpin vm show ${name}`,
    });
  if (process.stdin.isTTY) process.stderr.write(`console of ${name}; Ctrl-] leaves\r\n`);
  await attachConsole(vm.sockets.console, { input: process.stdin, output: process.stdout }).closed;
  return 0;
}
