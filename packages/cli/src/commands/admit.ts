import { UnpinError } from '@unpin/contract/errors';
import { inspectConfined, inspectionError } from '@unpin/image/confined';
import { type Explanation, explain, type Verdict } from '@unpin/policy';
import { controlClient } from '../control-client.ts';
import { readVerdict } from '../local/read-verdict.ts';
import type { GlobalOptions } from '../program.ts';
import { admissionText } from '../render/admission.ts';
import { print } from '../render/print.ts';
import { requireVmType } from './vm-types.ts';

interface Options {
  readonly image?: string;
  readonly verdict?: string;
  readonly type?: string;
  readonly explain?: boolean;
  readonly audit?: boolean;
}

/** Decides without creating: an image of the control plane by name, a verdict, or a file that is inspected now. */
export async function admit(globals: GlobalOptions, file: string | undefined, options: Options): Promise<number> {
  if (options.type === undefined)
    throw new UnpinError('USAGE', {
      subject: 'admit',
      found: 'no --type',
      needed: 'a VM type',
      next: 'unpin vm-types',
    });
  const type = requireVmType(options.type);
  const { image, verdict } = options;
  const given = [file, image, verdict].filter((each) => each !== undefined);
  if (given.length !== 1)
    throw new UnpinError('USAGE', {
      subject: 'admit',
      found: given.length === 0 ? 'no image' : 'more than one image',
      needed: 'one of --image NAME, --verdict FILE, or a file to inspect',
    });
  if (options.audit === true && image === undefined)
    throw new UnpinError('USAGE', { subject: '--audit', needed: '--image: only the control plane keeps records' });
  const answer =
    image === undefined
      ? explain(type, verdict === undefined ? await inspected(file ?? '') : readVerdict(verdict))
      : await controlClient(globals).admit({
          body: { image, type: type.id, ...(options.audit === true ? { audit: true } : {}) },
        });
  print(globals.json, answer, () => admissionText(answer, options.explain === true));
  return exitOfOutcome(answer.outcome);
}

/** The verdict on a kernel or a disk image, found in a process without rights. */
async function inspected(image: string): Promise<Verdict> {
  const inspection = await inspectConfined({ image });
  const error = inspectionError(inspection);
  if (error !== undefined) throw error;
  return inspection.verdict;
}

/** 0 may, 1 may not, 2 unknown. */
export function exitOfOutcome(outcome: Explanation['outcome'] | 'untouched'): number {
  switch (outcome) {
    case 'may':
    case 'waived':
    case 'untouched':
      return 0;
    case 'may-not':
      return 1;
    case 'unknown':
      return 2;
  }
}
