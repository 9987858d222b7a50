import { styleText } from 'node:util';
import type { ImageVerdictDocument } from '@unpin/contract';
import { table } from './table.ts';

type Claims = NonNullable<ImageVerdictDocument['claims']>;
type Outcome = Claims[number]['outcome'];

const SHOWN: Readonly<Record<Outcome, string>> = {
  holds: styleText('green', 'holds'),
  contradicted: styleText('red', 'contradicted'),
  unproven: styleText('yellow', 'not proven'),
  'not-claimed': styleText('yellow', 'could be claimed'),
  'not-judged': 'not looked at',
};

/** Claims beside what was found. */
export function claimsText(claims: Claims): string {
  return table(claims.map(({ claim, outcome, why }) => [claim, SHOWN[outcome], why]));
}
