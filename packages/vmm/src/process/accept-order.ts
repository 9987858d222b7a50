import type { LaunchOrder } from '@unpin/contract';
import { hostMemory } from '../figures/host-facts.ts';
import { checkOrder } from '../regime/check-order.ts';
import { checkBootFiles } from './boot-files.ts';
import { checkKvmAccess } from './kvm-access.ts';
import { parseOrder, readOrderFile, readOrderStream } from './order-text.ts';

/**
 * Reads an order from a file or (`-`) standard input, and checks everything that can be checked before a VM exists.
 * @throws UnpinError
 */
export async function acceptOrder(place: string): Promise<LaunchOrder> {
  const text = place === '-' ? await readOrderStream(process.stdin) : readOrderFile(place);
  const order = parseOrder(text);
  checkOrder(order, hostMemory());
  // Who goes on from a snapshot boots nothing.
  if (order.restore === undefined) checkBootFiles(order.boot);
  if (order.execution !== 'emulated') checkKvmAccess();
  return order;
}
