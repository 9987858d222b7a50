import { AdmissionReview, AdmissionReviewAnswer, NovaAdmitAnswer, NovaAdmitRequest } from '../messages/admission.ts';
import type { Routes } from '../route.ts';

/** What the control plane answers to other control planes, which create their VMs themselves. */
export const webhookRoutes = {
  reviewKubevirt: {
    method: 'POST',
    path: '/v1/webhooks/kubevirt',
    summary: 'A Kubernetes validating webhook (AdmissionReview v1) for KubeVirt VMs with launchSecurity',
    body: AdmissionReview,
    reply: AdmissionReviewAnswer,
  },
  admitNova: {
    method: 'POST',
    path: '/v1/webhooks/nova',
    summary: "Decides on a Nova instance by its image's properties and its flavor's extra specs",
    body: NovaAdmitRequest,
    reply: NovaAdmitAnswer,
  },
} as const satisfies Routes;
