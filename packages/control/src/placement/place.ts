import type { TypeCapability } from '@unpin/contract';
import { chooseWay, type Execution, type VmType } from '@unpin/policy';
import type { HostSnapshot } from './host-snapshot.ts';

export interface PlacementRequest {
  /** The VM's type, and the type it falls back on where it is on probation: the host must offer both. */
  readonly types: readonly VmType[];
  readonly memoryBytes: number;
  readonly pinnedBytes: number;
  readonly allow: readonly Execution[];
  /** Whether the guest is Linux: not every KVM that runs the probe can boot it. */
  readonly linux: boolean;
  /** The host that has the image's files, where it has some. */
  readonly filesOn: string | undefined;
}

/** Why a host was passed over. */
export interface Obstacle {
  readonly host: string;
  readonly found: string;
  readonly needed: string;
  /** The execution that would do, if the creator allowed it. */
  readonly wouldRun?: Execution;
}

export type Placement =
  | {
      readonly kind: 'placed';
      readonly host: string;
      readonly epoch: number;
      readonly execution: Execution;
      readonly confidential: boolean;
    }
  | { readonly kind: 'nowhere'; readonly obstacles: readonly Obstacle[] };

/** Most wanted first. */
const EXECUTIONS: readonly Execution[] = ['hardware', 'shaped', 'emulated'];

/**
 * A host for a VM: one that is up, offers the type in a way that the creator allowed, and has the memory. Among those
 * the most genuine execution, then the most available memory. Pure; the commit checks again.
 */
export function place(request: PlacementRequest, hosts: readonly HostSnapshot[]): Placement {
  const judged = hosts.map((host) => ({ host, offer: offerOf(host, request) }));
  const fits = judged.filter((each) => 'execution' in each.offer) as { host: HostSnapshot; offer: Offer }[];
  fits.sort(
    (a, b) =>
      EXECUTIONS.indexOf(a.offer.execution) - EXECUTIONS.indexOf(b.offer.execution) ||
      b.host.availableBytes - a.host.availableBytes,
  );
  const best = fits[0];
  if (best !== undefined) return { kind: 'placed', host: best.host.name, epoch: best.host.epoch, ...best.offer };
  return {
    kind: 'nowhere',
    obstacles: judged.flatMap(({ host, offer }) => ('found' in offer ? [{ host: host.name, ...offer }] : [])),
  };
}

interface Offer {
  readonly execution: Execution;
  readonly confidential: boolean;
}

type Refusal = Omit<Obstacle, 'host'>;

function offerOf(host: HostSnapshot, request: PlacementRequest): Offer | Refusal {
  if (!host.up) return { found: 'its agent gives no sign of life', needed: 'a host that is up' };
  if (request.filesOn !== undefined && request.filesOn !== host.name)
    return { found: "it does not have the image's files", needed: `host ${request.filesOn}, which judged them` };
  const offers: Offer[] = [];
  for (const type of request.types) {
    const offer = typeOffer(type, capabilityOf(host, type), request);
    if ('found' in offer) return offer;
    offers.push(offer);
  }
  return memoryRefusal(host, request) ?? offers[0] ?? { found: 'no type was asked for', needed: 'a VM type' };
}

function capabilityOf(host: HostSnapshot, type: VmType): TypeCapability | undefined {
  return host.capabilities.types.find((capability) => capability.type === type.id);
}

function typeOffer(type: VmType, capability: TypeCapability | undefined, request: PlacementRequest): Offer | Refusal {
  if (capability === undefined) return { found: `its VMM does not know ${type.id}`, needed: type.id };
  const { ways } = capability;
  if (ways.length === 0) return { found: capability.obstacles.join('; ') || 'no reason given', needed: type.id };
  const way = chooseWay(ways, request);
  if (way !== undefined) return { execution: way.execution, confidential: way.confidential };
  const unasked = chooseWay(ways, { ...request, allow: EXECUTIONS });
  if (unasked === undefined)
    return { found: 'its KVM runs only small guests such as the probe', needed: 'a KVM that can boot Linux' };
  return {
    found: `${type.id} runs ${unasked.execution} there, which is not confidential`,
    needed: request.allow.join(' or '),
    wouldRun: unasked.execution,
  };
}

/** Pinned memory counts in full, and against what others keep pinned; the rest is allocated on demand. */
function memoryRefusal(host: HostSnapshot, request: PlacementRequest): Refusal | undefined {
  const total = host.capabilities.host.memoryBytes;
  if (request.memoryBytes > total) return memory(`${mib(total)} of memory in all`, request.memoryBytes);
  if (request.pinnedBytes === 0) return undefined;
  const pinnable = Math.min(host.availableBytes, total - host.pinnedBytes);
  return request.pinnedBytes > pinnable
    ? memory(`${mib(pinnable)} that can still be pinned`, request.pinnedBytes)
    : undefined;
}

function memory(found: string, bytes: number): Refusal {
  return { found, needed: mib(bytes) };
}

function mib(bytes: number): string {
  return `${Math.floor(Math.max(bytes, 0) / 1_048_576)} MiB`;
}
