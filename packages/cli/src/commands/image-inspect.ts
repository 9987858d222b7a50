import type { ImageVerdictDocument } from '@unpin/contract';
import type { UnpinError } from '@unpin/contract/errors';
import { type ImageAnswer, type ImageRequest, inspectionError, inspectMany } from '@unpin/image/confined';
import { type Decision, decide, type Verdict, type VmType, vmTypes } from '@unpin/policy';
import { compareClaims, exitOfClaims } from '../formats/claims.ts';
import { imageTargets } from '../local/image-targets.ts';
import type { GlobalOptions } from '../program.ts';
import { progressLine } from '../render/print.ts';
import { requireVmType } from './vm-types.ts';

export type InspectFormat = 'text' | 'json' | 'gce' | 'nova' | 'kubevirt';

export interface InspectOptions {
  readonly commandLine?: string;
  readonly entry?: string;
  readonly check?: string;
  readonly compareClaims?: string;
  readonly firmware?: string;
  readonly backing?: readonly string[];
  readonly evidence?: boolean;
  readonly format: InspectFormat;
}

/** One image's answer as it is shown: a document, or why there is none. */
export type Shown = { readonly document: ImageVerdictDocument } | { readonly name: string; readonly error: UnpinError };

/** What images can do: read from the files themselves, each in a process without rights. */
export async function imageInspect(
  globals: GlobalOptions,
  names: readonly string[],
  options: InspectOptions,
): Promise<number> {
  const type = options.check === undefined ? undefined : requireVmType(options.check);
  const format = globals.json === true ? 'json' : options.format;
  const targets = imageTargets(names);
  // What shows the answer is loaded while the images are looked at.
  const [answers, { showInspections }] = await Promise.all([
    inspectAll(
      targets.map((image) => requestOf(image, options)),
      format === 'json',
    ),
    import('../render/inspections.ts'),
  ]);
  const shown = answers.map((answer, index) => shownOf(targets[index] ?? '', answer, type, options));
  const [only] = shown;
  const single = names.length === 1 && targets[0] === names[0];
  if (single && only !== undefined && 'error' in only) throw only.error;
  showInspections(shown, { format, single, evidence: options.evidence === true });
  return exitOfAll(shown);
}

function requestOf(image: string, { commandLine, entry, firmware, backing }: InspectOptions): ImageRequest {
  return {
    image,
    ...(commandLine === undefined ? {} : { commandLine }),
    ...(entry === undefined ? {} : { entry }),
    ...(firmware === undefined ? {} : { firmware }),
    ...(backing === undefined ? {} : { backing }),
  };
}

async function inspectAll(requests: readonly ImageRequest[], quiet: boolean): Promise<readonly ImageAnswer[]> {
  const { availableParallelism } = await import('node:os');
  const progress = progressLine(quiet || requests.length === 1 || !process.stderr.isTTY);
  const started = performance.now();
  let done = 0;
  try {
    return await inspectMany(requests, {
      workers: availableParallelism(),
      onAnswer: (_, index) => {
        done++;
        const pace = done / ((performance.now() - started) / 1000);
        progress.show(`${done} of ${requests.length} images, ${pace.toFixed(1)} a second  ${requests[index]?.image}`);
      },
    });
  } finally {
    progress.clear();
  }
}

function shownOf(name: string, answer: ImageAnswer, type: VmType | undefined, options: InspectOptions): Shown {
  const { inspection } = answer;
  if (inspection === undefined) return { name, error: answer.error };
  const error = inspectionError(inspection);
  if (error !== undefined) return { name, error };
  const { verdict } = inspection;
  return {
    document: {
      ...inspection,
      types: allowed(verdict),
      ...(type === undefined
        ? {}
        : { decision: decide(type, verdict) as NonNullable<ImageVerdictDocument['decision']> }),
      ...(options.compareClaims === undefined ? {} : { claims: [...compareClaims(verdict, options.compareClaims)] }),
    },
  };
}

/** The VM types that a verdict may have, may not have, and those of which it isn't known. */
export function allowed(verdict: Verdict): ImageVerdictDocument['types'] {
  const outcomes = vmTypes().map((type) => decide(type, verdict));
  const of = (outcome: Decision['outcome']) => outcomes.filter((d) => d.outcome === outcome).map((d) => d.type);
  return { may: of('may'), mayNot: of('may-not'), unknown: of('unknown') };
}

/** 0 may, 1 may not, 2 unknown. */
export function exitOf(decision: Decision): number {
  switch (decision.outcome) {
    case 'may':
    case 'waived':
      return 0;
    case 'may-not':
      return 1;
    case 'unknown':
      return 2;
  }
}

/**
 * Of many the worst: a no (1) before what is unknown (2). An image of which nothing could be said is unknown where
 * something was asked of it, else its error is the answer.
 */
function exitOfAll(shown: readonly Shown[]): number {
  const asked = shown.some(
    (each) => 'document' in each && (each.document.decision ?? each.document.claims) !== undefined,
  );
  const codes = shown.map((each) => {
    if ('error' in each) return asked ? 2 : each.error.exitCode;
    const { decision, claims } = each.document;
    const answers = [decision === undefined ? 0 : exitOf(decision), claims === undefined ? 0 : exitOfClaims(claims)];
    return answers.includes(1) ? 1 : Math.max(...answers);
  });
  if (codes.includes(1)) return 1;
  return codes.find((code) => code !== 0) ?? 0;
}
