import { check } from '../check.ts';
import { UnpinError } from '../errors/unpin-error.ts';
import { AdmissionConfig, ImageRule, WebhookConfig } from '../messages/admission-config.ts';

/**
 * The operator's admission file: `{"admission": {"webhook": {…}, "images": […]}}`. CONFIG_INVALID, or CONFIG_UNKNOWN_KEY
 * for a key that nobody reads: a misspelt choice must not be a choice that was never made.
 */
export function parseAdmissionConfig(text: string, subject: string): AdmissionConfig {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new UnpinError('CONFIG_INVALID', { subject, found: String(cause), needed: 'a JSON object', cause });
  }
  known(parsed, ['admission'], subject, '');
  const admission = (parsed as { readonly admission?: unknown }).admission ?? {};
  known(admission, Object.keys(AdmissionConfig.properties), subject, 'admission');
  const { webhook, images } = admission as { readonly webhook?: unknown; readonly images?: unknown };
  if (webhook !== undefined) known(webhook, Object.keys(WebhookConfig.properties), subject, 'admission.webhook');
  if (Array.isArray(images))
    for (const [index, rule] of images.entries())
      known(rule, Object.keys(ImageRule.properties), subject, `admission.images.${index}`);
  const checked = check(AdmissionConfig, admission);
  if (!checked.ok)
    throw new UnpinError('CONFIG_INVALID', {
      subject,
      found: `admission${checked.problem}`,
      next: 'see docs/admission.md',
    });
  return checked.value;
}

function known(value: unknown, keys: readonly string[], subject: string, at: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UnpinError('CONFIG_INVALID', {
      subject,
      found: `${at || 'the file'} is no object`,
      needed: 'a JSON object',
    });
  const stranger = Object.keys(value).find((key) => !keys.includes(key));
  if (stranger !== undefined)
    throw new UnpinError('CONFIG_UNKNOWN_KEY', {
      subject,
      found: `'${at === '' ? '' : `${at}.`}${stranger}'`,
      needed: `one of ${keys.join(', ')}`,
      next: 'see docs/admission.md',
    });
}
