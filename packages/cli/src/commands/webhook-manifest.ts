import { readFileSync } from 'node:fs';
import { parseAdmissionConfig, UnpinError } from '@unpin/contract';
import { type ManifestOptions, webhookManifest } from '../formats/webhook-manifest.ts';
import type { GlobalOptions } from '../program.ts';

interface Options {
  readonly admission?: string;
  readonly service?: string;
  readonly url?: string;
  readonly ca?: string;
  readonly name: string;
}

/** Prints the ValidatingWebhookConfiguration that fits the operator's choices. `--url` is the global option. */
export async function webhookManifestCommand(globals: GlobalOptions, options: Options): Promise<number> {
  const path = options.admission ?? process.env['UNPIN_ADMISSION'] ?? '';
  if (path === '')
    throw new UnpinError('USAGE', { subject: 'webhook manifest', needed: '--admission FILE, or UNPIN_ADMISSION' });
  const { webhook } = parseAdmissionConfig(read(path), path);
  if (webhook === undefined)
    throw new UnpinError('WEBHOOK_NOT_CONFIGURED', {
      subject: path,
      found: 'no admission.webhook',
      needed: 'unknown and onError, each refuse or allow',
      next: 'see docs/admission.md',
    });
  const ca = options.ca === undefined ? undefined : caBundle(options.ca);
  process.stdout.write(webhookManifest({ name: options.name, webhook, endpoint: endpointOf(globals, options), ca }));
  return 0;
}

function endpointOf({ url }: GlobalOptions, { service }: Options): ManifestOptions['endpoint'] {
  if ((service === undefined) === (url === undefined))
    throw new UnpinError('USAGE', { subject: 'webhook manifest', needed: '--service NAMESPACE/NAME[:PORT], or --url' });
  if (url !== undefined) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    // The API server takes no address with a query, a fragment or a user, and none without TLS.
    if (
      parsed === undefined ||
      parsed.protocol !== 'https:' ||
      parsed.search !== '' ||
      parsed.hash !== '' ||
      parsed.username !== ''
    )
      throw new UnpinError('USAGE', { subject: '--url', found: url, needed: 'https://HOST[:PORT]' });
    return { url: parsed.origin };
  }
  const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
  const match = new RegExp(`^(?<namespace>${label})/(?<name>${label})(:(?<port>\\d{1,5}))?$`).exec(service ?? '');
  const port = Number(match?.groups?.['port'] ?? '443');
  if (match === null || port < 1 || port > 65_535)
    throw new UnpinError('USAGE', { subject: '--service', found: service ?? '', needed: 'NAMESPACE/NAME[:PORT]' });
  return { namespace: match.groups?.['namespace'] ?? '', service: match.groups?.['name'] ?? '', port };
}

function caBundle(path: string): string {
  const pem = read(path);
  if (!pem.includes('-----BEGIN CERTIFICATE-----'))
    throw new UnpinError('USAGE', { subject: path, needed: 'certificates in PEM' });
  return Buffer.from(pem).toString('base64');
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw new UnpinError(missing ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE', { subject: path, cause });
  }
}
