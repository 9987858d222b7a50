/** Objects as KubeVirt v1 and the API server have them: kubevirt.io/v1 and admission.k8s.io/v1, in our own words. */

type Json = Record<string, unknown>;

export interface MachineParts {
  readonly launchSecurity?: unknown;
  readonly volumes?: readonly unknown[];
  readonly disks?: readonly unknown[];
  readonly annotations?: Json;
  readonly firmware?: Json;
}

/** What `spec` of an instance and `spec.template.spec` of a machine have in common. */
export function instanceSpec({ launchSecurity, volumes, disks, firmware }: MachineParts): Json {
  return {
    architecture: 'amd64',
    domain: {
      cpu: { cores: 4, model: 'host-model', sockets: 1, threads: 1 },
      devices: {
        disks: disks ?? [
          { name: 'cloudinit', disk: { bus: 'virtio' } },
          { name: 'root', disk: { bus: 'virtio' } },
        ],
        interfaces: [{ name: 'default', masquerade: {}, model: 'virtio' }],
      },
      features: { acpi: { enabled: true }, smm: { enabled: false } },
      firmware: { bootloader: { efi: { persistent: false, secureBoot: false } }, ...firmware },
      ...(launchSecurity === undefined ? {} : { launchSecurity }),
      machine: { type: 'q35' },
      memory: { guest: '64Gi' },
      resources: { requests: { memory: '64Gi' } },
    },
    evictionStrategy: 'None',
    networks: [{ name: 'default', pod: {} }],
    terminationGracePeriodSeconds: 180,
    volumes: volumes ?? [
      { name: 'root', containerDisk: { image: 'quay.io/containerdisks/debian:13', imagePullPolicy: 'IfNotPresent' } },
      { name: 'cloudinit', cloudInitNoCloud: { userData: '#cloud-config\npassword: x\n' } },
    ],
  };
}

export function instance(parts: MachineParts): Json {
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: {
      name: 'web-1',
      namespace: 'shop',
      labels: { app: 'web' },
      ...(parts.annotations === undefined ? {} : { annotations: parts.annotations }),
      ownerReferences: [
        {
          apiVersion: 'kubevirt.io/v1',
          kind: 'VirtualMachine',
          name: 'web-1',
          uid: '9b3f6a2e-5e0c-4a57-9a43-3e0a2a7c1c11',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: instanceSpec(parts),
    status: {},
  };
}

export function machine(parts: MachineParts, more: Json = {}): Json {
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: {
      name: 'web-1',
      namespace: 'shop',
      generation: 1,
      managedFields: [{ manager: 'kubectl-create', operation: 'Update', fieldsV1: { 'f:spec': { 'f:template': {} } } }],
    },
    spec: {
      runStrategy: 'Always',
      template: {
        metadata: {
          labels: { 'kubevirt.io/domain': 'web-1' },
          ...(parts.annotations === undefined ? {} : { annotations: parts.annotations }),
        },
        spec: instanceSpec(parts),
      },
      ...more,
    },
  };
}

export const UID = '705ab4f5-6393-11e8-b7cc-42010a800002';

/** A request as the API server sends it to a validating webhook. */
export function reviewOfObject(object: unknown, more: Json = {}): Json {
  const kind = (object as { kind?: string } | null)?.kind ?? 'VirtualMachine';
  const resource = kind === 'VirtualMachine' ? 'virtualmachines' : 'virtualmachineinstances';
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: UID,
      kind: { group: 'kubevirt.io', version: 'v1', kind },
      resource: { group: 'kubevirt.io', version: 'v1', resource },
      requestKind: { group: 'kubevirt.io', version: 'v1', kind },
      requestResource: { group: 'kubevirt.io', version: 'v1', resource },
      name: 'web-1',
      namespace: 'shop',
      operation: 'CREATE',
      userInfo: { username: 'ann', groups: ['system:authenticated'] },
      object,
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'kubectl-create' },
      ...more,
    },
  };
}
