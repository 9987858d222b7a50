import type { WebhookConfig } from '@unpin/contract';

export interface ManifestOptions {
  /** Of the webhook: a DNS name of at least three labels. */
  readonly name: string;
  readonly webhook: WebhookConfig;
  readonly endpoint:
    | { readonly url: string }
    | { readonly namespace: string; readonly service: string; readonly port: number };
  /** Base64 of PEM certificates; without it the API server trusts what its machine trusts. */
  readonly ca: string | undefined;
}

const PATH = '/v1/webhooks/kubevirt';

/**
 * The ValidatingWebhookConfiguration for KubeVirt's VMs. `failurePolicy` speaks where the API server gets no answer at
 * all, so it says what `onError` says; without a record in the audit log the webhook has no side effects.
 */
export function webhookManifest({ name, webhook, endpoint, ca }: ManifestOptions): string {
  return [
    'apiVersion: admissionregistration.k8s.io/v1',
    'kind: ValidatingWebhookConfiguration',
    'metadata:',
    '  name: unpin-kubevirt',
    'webhooks:',
    `  - name: ${name}`,
    '    admissionReviewVersions: ["v1"]',
    `    # admission.webhook.onError is ${webhook.onError}`,
    `    failurePolicy: ${webhook.onError === 'refuse' ? 'Fail' : 'Ignore'}`,
    '    # other versions of these objects are sent as kubevirt.io/v1',
    '    matchPolicy: Equivalent',
    `    sideEffects: ${webhook.audit === true ? 'NoneOnDryRun' : 'None'}`,
    '    timeoutSeconds: 10',
    '    rules:',
    '      - apiGroups: ["kubevirt.io"]',
    '        apiVersions: ["v1"]',
    '        operations: ["CREATE", "UPDATE"]',
    '        resources: ["virtualmachines", "virtualmachineinstances"]',
    '        scope: Namespaced',
    '    clientConfig:',
    ...('url' in endpoint
      ? [`      url: ${endpoint.url}${PATH}`]
      : [
          '      service:',
          `        namespace: ${endpoint.namespace}`,
          `        name: ${endpoint.service}`,
          `        port: ${endpoint.port}`,
          `        path: ${PATH}`,
        ]),
    ...(ca === undefined ? [] : [`      caBundle: ${ca}`]),
    '',
  ].join('\n');
}
