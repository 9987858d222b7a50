import { availableParallelism } from 'node:os';
import { type ImageAnswer, type ImageRequest, inspectMany } from '@unpin/image/confined';
import { imageTargets } from '../local/image-targets.ts';
import type { GlobalOptions } from '../program.ts';

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

/**
 * What images can do: read from the files themselves, in processes without rights. Those are started first: what shows
 * their answers is loaded while they load, so that nothing but what starts them may be imported above.
 */
export async function imageInspect(
  globals: GlobalOptions,
  names: readonly string[],
  options: InspectOptions,
): Promise<number> {
  const format = globals.json === true ? 'json' : options.format;
  const targets = imageTargets(names);
  const stopped = new AbortController();
  const inspecting = inspectAll(
    targets.map((image) => requestOf(image, options)),
    format === 'json',
    stopped.signal,
  );
  // Should what follows fail first, nobody waits for it any more.
  inspecting.catch(() => undefined);
  try {
    const { askedType, exitOfAll, shownOf } = await import('../local/answer-inspections.ts');
    const { showInspections } = await import('../render/inspections.ts');
    const type = askedType(options);
    const answers = await inspecting;
    const shown = answers.map((answer, index) => shownOf(targets[index] ?? '', answer, type, options));
    const [only] = shown;
    const single = names.length === 1 && targets[0] === names[0];
    if (single && only !== undefined && 'error' in only) throw only.error;
    showInspections(shown, { format, single, evidence: options.evidence === true });
    return exitOfAll(shown);
  } finally {
    stopped.abort();
  }
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

async function inspectAll(
  requests: readonly ImageRequest[],
  quiet: boolean,
  signal: AbortSignal,
): Promise<readonly ImageAnswer[]> {
  const many = requests.length > 1 && process.stderr.isTTY;
  const progress = many ? (await import('../render/print.ts')).progressLine(quiet) : undefined;
  const started = performance.now();
  let done = 0;
  try {
    return await inspectMany(requests, {
      workers: availableParallelism(),
      signal,
      onAnswer: (_, index) => {
        done++;
        const pace = done / ((performance.now() - started) / 1000);
        progress?.show(`${done} of ${requests.length} images, ${pace.toFixed(1)} a second  ${requests[index]?.image}`);
      },
    });
  } finally {
    progress?.clear();
  }
}
