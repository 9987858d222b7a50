import type { VmmLastLine, VmmReadyLine } from '@unpin/contract';
import { UnpinError } from '@unpin/contract/errors';
import type { Request } from './arguments.ts';
import { MachineThread } from './machine-thread.ts';

/** Runs one VM by its order until it ends. Answers the exit status. */
export async function runCommand(request: Extract<Request, { kind: 'run' }>): Promise<number> {
  // The machine's thread loads its modules while this one loads the schemas and judges the order.
  const thread = new MachineThread();
  try {
    const [{ acceptOrder }, { VmProcess }, { prepareSocketDir }] = await Promise.all([
      import('./accept-order.ts'),
      import('./run-vm.ts'),
      import('./socket-dir.ts'),
    ]);
    const order = await acceptOrder(request.order);
    const sockets = await prepareSocketDir(request.dir);
    // A parent that wants them asks while the VM runs, and would wait for what it does not read.
    const nameConversions = !request.withParent;
    const vm = new VmProcess({ thread, order, sockets, print, nameConversions });
    const stop = () => vm.stop('stopped');
    process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', stop);
    // Whoever read what this process says may be gone: the VM goes on.
    process.stdout.on('error', () => {});
    if (request.withParent) watchParent(stop);
    return await vm.run();
  } catch (thrown) {
    const error = UnpinError.from(thrown);
    print({ error: error.toBody() });
    process.stderr.write(`${error.message}\n`);
    return error.exitCode;
  } finally {
    await thread.gone();
    // A parent that keeps its end open must not keep this process.
    process.stdin.destroy();
  }
}

/** Standard input ends when whoever started this process is gone. */
function watchParent(gone: () => void): void {
  process.stdin.on('end', gone).on('error', gone).on('close', gone);
  process.stdin.resume();
  process.stdin.on('data', () => {});
}

function print(line: VmmReadyLine | VmmLastLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
