import type { AdmissionReason } from '../admission/explain.ts';
import { NOVA_DEFAULT_MODEL, NOVA_ENCRYPTION, type NovaModel } from './models.ts';
import { type NovaProperties, novaBoolean, novaText } from './properties.ts';

/** Nova's exceptions for requests that contradict themselves. */
export type NovaException =
  | 'FlavorImageConflict'
  | 'FlavorImageLockedMemoryConflict'
  | 'InvalidMachineType'
  | 'LockMemoryForbidden';

export interface NovaRequest {
  readonly image: NovaProperties;
  readonly extraSpecs: NovaProperties;
}

export interface NovaReason extends AdmissionReason {
  readonly exception: NovaException;
}

/** What flavor and image ask for together, by Nova's own rules and before anything is known of the image's kernel. */
export interface NovaJudgement {
  /** Undefined where encrypted memory is not asked for: nothing to decide. */
  readonly model: NovaModel | undefined;
  /** Who asks for it: `hw:mem_encryption` of the flavor, `hw_mem_encryption` of the image. */
  readonly requesters: readonly string[];
  /** What Nova itself would refuse, all at once. */
  readonly reasons: readonly NovaReason[];
  readonly warnings: readonly string[];
  /** Whether Nova would lock all of the guest's memory. */
  readonly locked: boolean;
}

/**
 * Nova's rules on encrypted and locked memory (nova.virt.hardware, as its administrator's guide describes them). Nova
 * stops at the first that fails; here all of them speak. Pure.
 */
export function judgeNova(request: NovaRequest): NovaJudgement {
  const flavorAsks = novaBoolean(request.extraSpecs, 'hw:mem_encryption');
  const imageAsks = novaBoolean(request.image, 'hw_mem_encryption');
  const wanted = flavorAsks === true || imageAsks === true;
  const flavorModel = novaText(request.extraSpecs, 'hw:mem_encryption_model');
  const imageModel = novaText(request.image, 'hw_mem_encryption_model');
  const named = flavorModel ?? imageModel;
  const model = wanted ? NOVA_ENCRYPTION.find((each) => each.model === (named ?? NOVA_DEFAULT_MODEL)) : undefined;
  const locked = lockedMemory(request, model);
  return {
    model,
    requesters: [
      ...(flavorAsks === true ? ['hw:mem_encryption of the flavor'] : []),
      ...(imageAsks === true ? ['hw_mem_encryption of the image'] : []),
    ],
    reasons: [
      ...(wanted && flavorAsks !== undefined && imageAsks !== undefined && flavorAsks !== imageAsks
        ? [encryptionConflict(flavorAsks, imageAsks)]
        : []),
      ...(flavorModel !== undefined && imageModel !== undefined && flavorModel !== imageModel
        ? [modelConflict(flavorModel, imageModel)]
        : []),
      ...[flavorModel, imageModel].flatMap((each) => (each === undefined || isModel(each) ? [] : [unknownModel(each)])),
      ...(!wanted && named !== undefined ? [modelAlone(named)] : []),
      ...(wanted ? hardwareReasons(request.image, model) : []),
      ...locked.reasons,
    ],
    warnings: [...(wanted ? warningsOf(request, named) : []), ...locked.warnings],
    locked: locked.locked,
  };
}

function isModel(name: string): boolean {
  return NOVA_ENCRYPTION.some(({ model }) => model === name);
}

interface Said {
  readonly code: string;
  readonly exception: NovaException;
  readonly says: string;
  readonly found: string;
  readonly why: string;
  readonly remedy: string;
  /** Properties and extra specs that it was seen in. */
  readonly seen: Readonly<Record<string, string>>;
}

function reason({ code, exception, says, found, why, remedy, seen }: Said): NovaReason {
  return {
    code,
    exception,
    outcome: 'unmet',
    says,
    found: { answer: 'no', level: 'proven', summary: found },
    evidence: Object.entries(seen).map(([name, value]) => ({
      signal: name.includes(':') ? 'nova-extra-spec' : 'nova-image-property',
      where: name,
      seen: value,
    })),
    why,
    remedy,
  };
}

function encryptionConflict(flavor: boolean, image: boolean): NovaReason {
  return reason({
    code: 'nova-encryption-conflict',
    exception: 'FlavorImageConflict',
    says: 'flavor and image ask for the same',
    found: `hw:mem_encryption=${flavor} in the flavor, hw_mem_encryption=${image} in the image`,
    why: 'Nova refuses an instance whose flavor asks for encrypted memory and whose image forbids it, or the reverse',
    remedy: 'set both alike, or only one of them',
    seen: { 'hw:mem_encryption': String(flavor), hw_mem_encryption: String(image) },
  });
}

function modelConflict(flavor: string, image: string): NovaReason {
  return reason({
    code: 'nova-model-conflict',
    exception: 'FlavorImageConflict',
    says: 'flavor and image name the same model',
    found: `hw:mem_encryption_model=${flavor} in the flavor, hw_mem_encryption_model=${image} in the image`,
    why: 'Nova refuses an instance whose flavor and image name two models',
    remedy: 'name one model, in the flavor or in the image',
    seen: { 'hw:mem_encryption_model': flavor, hw_mem_encryption_model: image },
  });
}

function unknownModel(model: string): NovaReason {
  return reason({
    code: 'nova-model-unknown',
    exception: 'FlavorImageConflict',
    says: 'the model is one that Nova has',
    found: `model '${model.slice(0, 64)}'`,
    why: 'Nova has no such memory encryption model',
    remedy: `use one of ${NOVA_ENCRYPTION.map((each) => each.model).join(', ')}`,
    seen: { mem_encryption_model: model.slice(0, 64) },
  });
}

function modelAlone(model: string): NovaReason {
  return reason({
    code: 'nova-model-without-encryption',
    exception: 'FlavorImageConflict',
    says: 'a model is named together with encryption',
    found: `model ${model.slice(0, 64)}, and neither hw:mem_encryption nor hw_mem_encryption is true`,
    why: 'Nova refuses a memory encryption model where no memory encryption is asked for',
    remedy: 'set hw:mem_encryption=true in the flavor or hw_mem_encryption=true in the image, or take the model away',
    seen: { mem_encryption_model: model.slice(0, 64) },
  });
}

/** What every model, or this one, asks of the image's virtual hardware. */
function hardwareReasons(image: NovaProperties, model: NovaModel | undefined): readonly NovaReason[] {
  const firmware = novaText(image, 'hw_firmware_type');
  const machine = novaText(image, 'hw_machine_type');
  const stateless = novaBoolean(image, 'hw_firmware_stateless');
  const video = novaText(image, 'hw_video_model');
  const reasons: NovaReason[] = [];
  if (firmware !== 'uefi')
    reasons.push(
      reason({
        code: 'nova-firmware-not-uefi',
        exception: 'FlavorImageConflict',
        says: 'hw_firmware_type=uefi',
        found: firmware === undefined ? 'no hw_firmware_type' : `hw_firmware_type=${firmware}`,
        why: 'encrypted memory needs UEFI firmware',
        remedy: 'openstack image set --property hw_firmware_type=uefi IMAGE',
        seen: { hw_firmware_type: firmware ?? 'not set' },
      }),
    );
  // A version of it does as well: pc-q35-9.2.
  if (machine !== undefined && !machine.includes('q35'))
    reasons.push(
      reason({
        code: 'nova-machine-type',
        exception: 'InvalidMachineType',
        says: 'a machine type of the q35 family',
        found: `hw_machine_type=${machine}`,
        why: 'encrypted memory needs virtio 1.0 devices, which only q35 has behind PCI Express',
        remedy: 'openstack image set --property hw_machine_type=q35 IMAGE',
        seen: { hw_machine_type: machine },
      }),
    );
  if (model?.stateless === true && stateless !== true)
    reasons.push(
      reason({
        code: 'nova-firmware-not-stateless',
        exception: 'FlavorImageConflict',
        says: 'hw_firmware_stateless=true',
        found: stateless === undefined ? 'no hw_firmware_stateless' : `hw_firmware_stateless=${stateless}`,
        why: `${model.model} is measured with its firmware, which must not keep variables of its own`,
        remedy: 'openstack image set --property hw_firmware_stateless=true IMAGE',
        seen: { hw_firmware_stateless: stateless === undefined ? 'not set' : String(stateless) },
      }),
    );
  if (model?.noVideo === true && video !== 'none')
    reasons.push(
      reason({
        code: 'nova-video-model',
        exception: 'FlavorImageConflict',
        says: 'hw_video_model=none',
        found: video === undefined ? 'no hw_video_model' : `hw_video_model=${video}`,
        why: `${model.model} guests have no video device`,
        remedy: 'openstack image set --property hw_video_model=none IMAGE',
        seen: { hw_video_model: video ?? 'not set' },
      }),
    );
  return reasons;
}

function warningsOf({ image }: NovaRequest, named: string | undefined): readonly string[] {
  return [
    ...(novaText(image, 'hw_machine_type') === undefined
      ? ["no hw_machine_type: it comes from hw_machine_type in the compute host's nova.conf, which must say q35"]
      : []),
    ...(named === undefined ? [`no model is named: Nova takes ${NOVA_DEFAULT_MODEL}`] : []),
  ];
}

interface Locked {
  readonly locked: boolean;
  readonly reasons: readonly NovaReason[];
  readonly warnings: readonly string[];
}

/** `hw:locked_memory` and `hw_locked_memory`, and what the model makes of them. */
function lockedMemory({ image, extraSpecs }: NovaRequest, model: NovaModel | undefined): Locked {
  const flavor = novaBoolean(extraSpecs, 'hw:locked_memory');
  const ofImage = novaBoolean(image, 'hw_locked_memory');
  const reasons: NovaReason[] = [];
  if (flavor !== undefined && ofImage !== undefined && flavor !== ofImage)
    reasons.push(
      reason({
        code: 'nova-locked-memory-conflict',
        exception: 'FlavorImageLockedMemoryConflict',
        says: 'flavor and image ask for the same',
        found: `hw:locked_memory=${flavor} in the flavor, hw_locked_memory=${ofImage} in the image`,
        why: 'Nova refuses an instance whose flavor and image contradict each other',
        remedy: 'set both alike, or only one of them',
        seen: { 'hw:locked_memory': String(flavor), hw_locked_memory: String(ofImage) },
      }),
    );
  const asked = flavor ?? ofImage;
  const pages = novaText(extraSpecs, 'hw:mem_page_size') ?? novaText(image, 'hw_mem_page_size');
  if (asked !== undefined && pages === undefined)
    reasons.push(
      reason({
        code: 'nova-locked-memory-without-page-size',
        exception: 'LockMemoryForbidden',
        says: 'hw:mem_page_size beside locked memory',
        found: `locked_memory=${asked} and no hw:mem_page_size`,
        why: 'Nova counts locked memory only by page size, and refuses what it cannot count',
        remedy: 'set hw:mem_page_size in the flavor, or take locked_memory away',
        seen: { locked_memory: String(asked) },
      }),
    );
  const locks = model?.locksMemory === true;
  return {
    locked: locks || asked === true,
    reasons,
    warnings:
      locks && asked === false ? [`locked_memory=false has no effect: Nova locks all memory of ${model.model}`] : [],
  };
}
