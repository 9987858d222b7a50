import { UnpinError, type VmmLastLine, type VmmReadyLine } from '@unpin/contract';
import { hostMemory } from '../figures/host-facts.ts';
import { checkOrder } from '../regime/check-order.ts';
import type { Request } from './arguments.ts';
import { checkBootFiles } from './boot-files.ts';
import { checkKvmAccess } from './kvm-access.ts';
import { parseOrder, readOrderFile, readOrderStream } from './order-text.ts';
import { VmProcess } from './run-vm.ts';
import { prepareSocketDir } from './socket-dir.ts';

/** Runs one VM by its order until it ends. Answers the exit status. */
export async function runCommand(request: Extract<Request, { kind: 'run' }>): Promise<number> {
  try {
    const text = request.order === '-' ? await readOrderStream(process.stdin) : readOrderFile(request.order);
    const order = parseOrder(text);
    checkOrder(order, hostMemory());
    checkBootFiles(order.boot);
    checkKvmAccess();
    const sockets = await prepareSocketDir(request.dir);
    const vm = new VmProcess({ order, sockets, print });
    const stop = () => vm.stop('stopped');
    process.on('SIGTERM', stop).on('SIGINT', stop);
    if (request.withParent) watchParent(stop);
    return await vm.run();
  } catch (thrown) {
    const error = UnpinError.from(thrown);
    print({ error: error.toBody() });
    process.stderr.write(`${error.message}\n`);
    return error.exitCode;
  } finally {
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
