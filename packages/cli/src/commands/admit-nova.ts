import { webhookRoutes } from '@unpin/contract';
import { createClient } from '@unpin/contract/client';
import { UnpinError } from '@unpin/contract/errors';
import { explainNova } from '@unpin/policy';
import { loadConfig } from '../config/load.ts';
import { controlClient } from '../control-client.ts';
import { novaFlavorOf, novaImageOf } from '../formats/nova-files.ts';
import { readJson } from '../local/read-json.ts';
import { readVerdict } from '../local/read-verdict.ts';
import type { GlobalOptions } from '../program.ts';
import { admissionText } from '../render/admission.ts';
import { print } from '../render/print.ts';
import { exitOfOutcome } from './admit.ts';

interface Options {
  readonly imageProperties: string;
  readonly flavor: string;
  readonly image?: string;
  readonly verdict?: string;
  readonly explain?: boolean;
}

/**
 * Nova's rules on flavor and image, then the verdict on what the image boots: of a file, of unpin's image by name, or
 * (neither named) of the image that the control plane's rules find for the Glance image's id or name.
 */
export async function admitNova(globals: GlobalOptions & Partial<Options>, own: Options): Promise<number> {
  // Options that `admit` has as well are taken there, wherever they stand on the line.
  const options: Options = { ...globals, ...own };
  const image = novaImageOf(readJson(options.imageProperties), options.imageProperties);
  const flavor = novaFlavorOf(readJson(options.flavor), options.flavor);
  if (options.image !== undefined && options.verdict !== undefined)
    throw new UnpinError('USAGE', { subject: 'admit nova', found: '--image and --verdict', needed: 'one of them' });
  const verdict = await verdictOf(globals, options);
  const answer =
    verdict === undefined
      ? await createClient(webhookRoutes, { url: loadConfig(globals).url.value }).admitNova({
          body: {
            image: { ...image, properties: { ...image.properties } },
            flavor: { ...flavor, extra_specs: { ...flavor.extra_specs } },
          },
        })
      : explainNova({ image: image.properties, extraSpecs: flavor.extra_specs }, { verdict });
  print(globals.json, answer, () => admissionText(answer, options.explain === true));
  return exitOfOutcome(answer.outcome);
}

async function verdictOf(globals: GlobalOptions, { image, verdict }: Options) {
  if (verdict !== undefined) return readVerdict(verdict);
  if (image === undefined) return undefined;
  const view = await controlClient(globals).getImage({ params: { name: image } });
  if (view.verdict !== undefined) return view.verdict;
  throw new UnpinError('CONFLICT', {
    subject: `image ${image}`,
    found: view.state === 'failed' ? 'a failed inspection' : 'no verdict yet',
    needed: 'a verdict',
    next: `unpin image show ${image}`,
  });
}
