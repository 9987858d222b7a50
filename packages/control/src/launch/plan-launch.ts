import { type CreateVm, type DecisionMessage, UnpinError } from '@unpin/contract';
import { findVmType, type VmType, vmType, vmTypes } from '@unpin/policy';
import { admit } from '../admission/admit.ts';
import type { HostSnapshot } from '../placement/host-snapshot.ts';
import { type Obstacle, place } from '../placement/place.ts';
import type { ImageRecord } from '../store/images.ts';
import type { NewVm } from '../store/vms.ts';
import { checkMemorySize } from './memory-size.ts';

/** All that a launch is decided on. */
export interface LaunchSnapshot {
  readonly image: ImageRecord | undefined;
  readonly nameTaken: boolean;
  readonly hosts: readonly HostSnapshot[];
}

/** A VM as it would be stored, with what must still be so when it is. */
export interface LaunchPlan {
  readonly vm: NewVm;
  readonly imageGeneration: number;
  readonly hostEpoch: number;
}

/** What is neither in the request nor in the snapshot: made outside, so that planning is pure. */
export interface LaunchMarks {
  readonly uid: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/**
 * Admission, then placement. Pure. Throws the catalogue's error where the answer is no: ADMISSION_REFUSED or
 * ADMISSION_UNKNOWN with the whole decision, PLACEMENT_FAILED with the reasons of every host, and those of a request
 * that makes no sense.
 */
export function planLaunch(request: CreateVm, snapshot: LaunchSnapshot, marks: LaunchMarks): LaunchPlan {
  const type = typeOf(request.type);
  checkMemorySize(`VM ${request.name}`, request.memoryBytes);
  const image = readyImage(request.image, snapshot.image);
  if (snapshot.nameTaken) throw nameTaken(request.name);

  const { verdict } = image;
  const admission = admit({
    image: image.name,
    verdict,
    type,
    waiver: request.waiver,
    probation: request.probation ?? false,
  });
  if (admission.kind === 'refused') throw admission.error;

  const fallback = admission.probation === undefined ? [] : [vmType(admission.probation.fallback)];
  const types = [type, ...fallback];
  const pinnedBytes = types.some((each) => each.pinning === 'upfront') ? request.memoryBytes : 0;
  const allow = request.allow ?? ['hardware'];
  const placement = place(
    {
      types,
      memoryBytes: request.memoryBytes,
      pinnedBytes,
      allow,
      linux: image.boot.kind !== 'probe',
      filesOn: image.boot.kind === 'probe' ? undefined : image.host,
    },
    snapshot.hosts,
  );
  if (placement.kind === 'nowhere') throw nowhere(request, type, placement.obstacles);

  return {
    vm: {
      name: request.name,
      uid: marks.uid,
      image: image.name,
      boot: image.boot,
      bootSet: verdict.bootSet.digest,
      type: type.id,
      memoryBytes: request.memoryBytes,
      pinnedBytes,
      allow,
      decision: admission.decision as DecisionMessage,
      probation: admission.probation,
      host: placement.host,
      execution: placement.execution,
      confidential: placement.confidential,
      createdAt: marks.at,
    },
    imageGeneration: image.generation,
    hostEpoch: placement.epoch,
  };
}

/** The VM type of a request; VM_TYPE_UNKNOWN, or VM_TYPE_NOT_BUILT where nothing that could run it is. */
export function typeOf(id: string): VmType {
  const type = findVmType(id);
  if (type === undefined)
    throw new UnpinError('VM_TYPE_UNKNOWN', {
      subject: id,
      needed: vmTypes()
        .map((each) => each.id)
        .join(', '),
      next: 'unpin vm-types',
    });
  if (!type.runners.some((runner) => runner.built))
    throw new UnpinError('VM_TYPE_NOT_BUILT', { subject: id, next: 'unpin vm-types' });
  return type;
}

/** The image with its verdict; NOT_FOUND, or CONFLICT while there is no verdict to decide on. */
export function readyImage(
  name: string,
  image: ImageRecord | undefined,
): ImageRecord & { readonly verdict: NonNullable<ImageRecord['verdict']> } {
  if (image === undefined) throw new UnpinError('NOT_FOUND', { subject: `image ${name}`, next: 'unpin image list' });
  const { state, verdict, error } = image;
  if (state === 'ready' && verdict !== undefined) return { ...image, verdict };
  throw new UnpinError('CONFLICT', {
    subject: `image ${name}`,
    found: state === 'failed' ? `a failed inspection: ${error?.message ?? 'no reason given'}` : 'no verdict yet',
    needed: 'a verdict',
    next: state === 'failed' ? `unpin image show ${name}` : `unpin image show ${name}, then try again`,
    ...(error === undefined ? {} : { detail: error }),
  });
}

export function nameTaken(name: string): UnpinError {
  return new UnpinError('ALREADY_EXISTS', { subject: `VM ${name}`, next: `unpin vm show ${name}` });
}

function nowhere(request: CreateVm, type: VmType, obstacles: readonly Obstacle[]): UnpinError {
  const wouldRun = obstacles.find((obstacle) => obstacle.wouldRun !== undefined)?.wouldRun;
  return new UnpinError('PLACEMENT_FAILED', {
    subject: `VM ${request.name} as ${type.id}`,
    found:
      obstacles.length === 0
        ? 'no hosts'
        : obstacles.map(({ host, found, needed }) => `${host}: ${found} (needs ${needed})`).join('; '),
    needed: `a host that runs ${type.id} for it`,
    next: wouldRun === undefined ? 'unpin vm-types' : `allow it with --execution ${wouldRun}`,
    detail: obstacles,
  });
}
