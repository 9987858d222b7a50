import { styleText } from 'node:util';
import type { ImageView } from '@unpin/contract';
import { decide, vmTypes } from '@unpin/policy';
import { verdictText } from './verdict.ts';

/** An image with its verdict, and the VM types that it may have. */
export function imageText(image: ImageView, evidence: boolean): string {
  const { verdict } = image;
  const head = `${styleText('bold', image.name)}  ${image.state}${image.builtIn ? '  (built in)' : ''}`;
  if (verdict === undefined) return `${head}${image.error === undefined ? '' : `\n${image.error.message}`}`;
  const may = vmTypes()
    .filter((type) => decide(type, verdict).outcome === 'may')
    .map((type) => type.id);
  return [head, verdictText(verdict, evidence), '', `${styleText('bold', 'may run as')}  ${may.join(', ')}`].join('\n');
}
