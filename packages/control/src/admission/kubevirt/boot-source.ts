import type { ImageReference } from '../image-rules.ts';
import { type Fields, field, listOf, MalformedObject, numberOf, objectAt, stringOf } from './fields.ts';

/** More than any real VM has: libvirt gives a VM some tens of disks. */
const MOST_DISKS = 1024;

/** What a VM boots from, in all the ways in which the object names it. */
export interface BootSource {
  readonly references: readonly ImageReference[];
  /** Named by a dataVolumeTemplate, which only the VirtualMachine has: its instance shows no more than a name. */
  readonly byTemplate: boolean;
}

/**
 * The image that a VirtualMachineInstance's spec boots: its kernel container where it has one, else the disk with the
 * lowest bootOrder, else the first disk that can be booted from; volumes that no disk names come last, as KubeVirt adds
 * disks for them. `templates` are the dataVolumeTemplates of the VirtualMachine.
 */
export function bootSourceOf(spec: Fields, templates: readonly Fields[], namespace: string | undefined): BootSource {
  const domain = objectAt(spec, 'domain') ?? {};
  const kernel = objectAt(domain, 'firmware', 'kernelBoot', 'container');
  const kernelImage = kernel === undefined ? undefined : stringOf(kernel, 'image');
  if (kernelImage !== undefined) return { references: [{ from: 'kernel-boot', name: kernelImage }], byTemplate: false };

  const volumes = new Map<string, Fields>();
  for (const volume of listOf(spec, 'volumes', MOST_DISKS)) {
    const name = stringOf(volume, 'name');
    if (name === undefined || volumes.has(name)) throw new MalformedObject('volumes', 'named, each differently');
    volumes.set(name, volume);
  }
  for (const name of [...bootOrder(domain), ...volumes.keys()]) {
    const volume = volumes.get(name);
    const source = volume === undefined ? undefined : sourceOf(volume, templates, namespace);
    if (source !== undefined) return source;
  }
  return { references: [], byTemplate: false };
}

/** Names of the disks, those with a bootOrder first. */
function bootOrder(domain: Fields): readonly string[] {
  const devices = objectAt(domain, 'devices') ?? {};
  return listOf(devices, 'disks', MOST_DISKS)
    .map((disk, index) => ({ name: stringOf(disk, 'name') ?? '', order: numberOf(disk, 'bootOrder'), index }))
    .toSorted((a, b) => (a.order ?? Infinity) - (b.order ?? Infinity) || a.index - b.index)
    .map(({ name }) => name);
}

/** Volumes that no firmware boots from: what they hold is for the guest to read. */
const NEVER_BOOTS: ReadonlySet<string> = new Set([
  'cloudInitNoCloud',
  'cloudInitConfigDrive',
  'configMap',
  'secret',
  'serviceAccount',
  'downwardAPI',
  'downwardMetrics',
  'sysprep',
  'emptyDisk',
  'memoryDump',
]);

/**
 * How a volume names its content; undefined for one that nothing boots from. One of a kind that isn't known here (a host's
 * disk, what KubeVirt has next) may well be what boots: it has no name to go by, and no other volume's does instead.
 */
function sourceOf(volume: Fields, templates: readonly Fields[], namespace: string | undefined): BootSource | undefined {
  const kinds = Object.keys(volume).filter((key) => key !== 'name' && field(volume, key) !== undefined);
  if (kinds.length !== 1) throw new MalformedObject('volumes', 'of one source each');
  if (kinds.every((kind) => NEVER_BOOTS.has(kind))) return undefined;
  const here = namespace === undefined ? {} : { namespace };
  const container = objectAt(volume, 'containerDisk');
  if (container !== undefined) return named('container-disk', container, 'image', {});
  const claim = objectAt(volume, 'persistentVolumeClaim') ?? objectAt(volume, 'ephemeral', 'persistentVolumeClaim');
  if (claim !== undefined) return named('pvc', claim, 'claimName', here);
  const data = objectAt(volume, 'dataVolume');
  const name = data === undefined ? undefined : stringOf(data, 'name');
  if (data === undefined) return { references: [], byTemplate: false };
  if (name === undefined) throw new MalformedObject('dataVolume.name', 'a string');
  const template = templates.find((each) => stringOf(objectAt(each, 'metadata') ?? {}, 'name') === name);
  const origins = template === undefined ? [] : originsOf(objectAt(template, 'spec') ?? {}, namespace);
  return {
    // A DataVolume's claim has its name.
    references: [...origins, { from: 'data-volume', name, ...here }, { from: 'pvc', name, ...here }],
    byTemplate: origins.length > 0,
  };
}

function named(from: ImageReference['from'], source: Fields, key: string, where: { namespace?: string }): BootSource {
  const name = stringOf(source, key);
  if (name === undefined) throw new MalformedObject(key, 'a string');
  return { references: [{ from, name, ...where }], byTemplate: false };
}

/** Where a DataVolume's content comes from, as far as that is a name: a registry, an address, a claim, a DataSource. */
function originsOf(spec: Fields, namespace: string | undefined): readonly ImageReference[] {
  const references: ImageReference[] = [];
  const registry = objectAt(spec, 'source', 'registry');
  const registryUrl = registry === undefined ? undefined : stringOf(registry, 'url');
  if (registryUrl !== undefined) references.push({ from: 'registry', name: registryUrl });
  const http = objectAt(spec, 'source', 'http');
  const httpUrl = http === undefined ? undefined : stringOf(http, 'url');
  if (httpUrl !== undefined) references.push({ from: 'http', name: httpUrl });
  const pvc = objectAt(spec, 'source', 'pvc');
  if (pvc !== undefined) references.push(...inNamespace('pvc', pvc, namespace));
  const sourceRef = objectAt(spec, 'sourceRef');
  if (sourceRef !== undefined && stringOf(sourceRef, 'kind') === 'DataSource')
    references.push(...inNamespace('data-source', sourceRef, namespace));
  return references;
}

function inNamespace(
  from: ImageReference['from'],
  source: Fields,
  namespace: string | undefined,
): readonly ImageReference[] {
  const name = stringOf(source, 'name');
  const at = stringOf(source, 'namespace') ?? namespace;
  return name === undefined ? [] : [{ from, name, ...(at === undefined ? {} : { namespace: at }) }];
}
