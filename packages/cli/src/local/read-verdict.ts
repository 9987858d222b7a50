import { ImageVerdictDocument, UnpinError, VerdictMessage } from '@unpin/contract';
import { check } from '@unpin/contract/check';
import type { Verdict } from '@unpin/policy';
import { readJson } from './read-json.ts';

/** A verdict from a file: bare, or the document that `unpin image inspect --format json` prints. VERDICT_INVALID else. */
export function readVerdict(path: string): Verdict {
  const value = readJson(path);
  const isDocument = typeof value === 'object' && value !== null && Object.hasOwn(value, 'verdict');
  const checked = isDocument
    ? check(ImageVerdictDocument.properties.verdict, (value as { readonly verdict: unknown }).verdict)
    : check(VerdictMessage, value);
  if (checked.ok) return checked.value;
  throw new UnpinError('VERDICT_INVALID', {
    subject: path,
    found: checked.problem,
    needed: 'a verdict, such as `unpin image inspect FILE --format json` prints',
  });
}
