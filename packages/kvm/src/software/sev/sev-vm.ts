import { SevError } from '../../port/errors.ts';
import type { SevCommand } from '../../port/vm.ts';
import { ERRNO, errnoName } from '../../sys/errno.ts';
import { VM_TYPES } from '../../uapi/constants.ts';
import { SEV_COMMANDS } from '../../uapi/sev-constants.ts';
import {
  SEV_DBG,
  SEV_GUEST_STATUS,
  SEV_INIT,
  SEV_LAUNCH_MEASURE,
  SEV_LAUNCH_START,
  SEV_LAUNCH_UPDATE_DATA,
} from '../../uapi/sev-structs.ts';
import type { Fields, Layout, Struct } from '../../uapi/struct.ts';
import { type GuestAddressSpace, type Host, SnapshotError } from '../memory/index.ts';
import type { Asids } from './asids.ts';
import { BLOCK_BYTES, encryptInPlace, readDecrypted, writeEncrypted } from './encrypt-in-place.ts';
import { GuestContext, type GuestContextState, type RandomBytes } from './guest-context.ts';
import { MEASUREMENT_BLOB_BYTES } from './measurement.ts';
import { FirmwareRefusal, STATUS } from './status.ts';
import type { UserMemory } from './user-memory.ts';

/** Longest measurement buffer that KVM takes (SEV_FW_BLOB_MAX_SIZE). */
const MAX_BLOB = 0x4000;
/** Commands of encrypted registers: their VMs aren't offered, so that no VM is one. */
const ENCRYPTED_STATE: ReadonlySet<number> = new Set([SEV_COMMANDS.KVM_SEV_LAUNCH_UPDATE_VMSA]);
/** Sending, receiving, certificates and secrets: KVM has them, this firmware doesn't. */
const NOT_BUILT: ReadonlySet<number> = new Set([SEV_COMMANDS.KVM_SEV_LAUNCH_SECRET, 8, 9, 11, 12, 13, 15, 19, 20, 21]);
/** This KVM is its own firmware: its commands name no /dev/sev, and any descriptor is another file's. */
const NO_DEVICE = -1;
const SNP_FIRST = 100;
const SNP_LAST = 102;

/** What a VM's SEV side works with. */
export interface SevVmParts {
  readonly type: number;
  readonly host: Host;
  readonly space: GuestAddressSpace;
  readonly asids: Asids;
  readonly user: UserMemory;
  readonly random: RandomBytes;
  /** A handle that no other guest has. */
  readonly nextHandle: () => number;
  readonly createdVcpus: () => number;
}

/** A VM's SEV side, for a snapshot; its key is with the host's. */
export interface SevVmState {
  /** 0 where the VM is no SEV guest. */
  readonly asid: number;
  readonly guest: GuestContextState | null;
}

/**
 * KVM_MEMORY_ENCRYPT_OP of one VM, and the firmware behind it: KVM's own rules answer with an errno (kernel,
 * arch/x86/kvm/svm/sev.c), the firmware's with EIO and its status (SEV API). Throws SevError.
 */
export class SevVm {
  readonly #parts: SevVmParts;
  #asid = 0;
  #guest: GuestContext | null = null;

  constructor(parts: SevVmParts) {
    this.#parts = parts;
  }

  /** Whether INIT or INIT2 made the VM an SEV guest. */
  get isActive(): boolean {
    return this.#asid !== 0;
  }

  /** A VM of an SEV type can't run before INIT2. */
  get needsInit(): boolean {
    return this.#parts.type === VM_TYPES.KVM_X86_SEV_VM && !this.isActive;
  }

  /** Whether the processor would refuse to run it: encrypted, and no key for its ASID yet. */
  get lacksKey(): boolean {
    return this.isActive && this.#guest === null;
  }

  execute(command: SevCommand): void {
    try {
      this.#dispatch(command);
    } catch (error) {
      if (!(error instanceof FirmwareRefusal)) throw error;
      throw new SevError(command.name, ERRNO.EIO, 'EIO', error.status);
    }
  }

  /** SnapshotError while the launch is being measured. */
  state(): SevVmState {
    const guest = this.#guest?.save() ?? null;
    if (guest === null && this.#guest !== null) throw new SnapshotError('the launch is still being measured');
    return { asid: this.#asid, guest };
  }

  /** The address space has its ASID and key already. SnapshotError where another VM has the ASID. */
  resume({ asid, guest }: SevVmState): void {
    if (asid === 0) return;
    if (!this.#parts.asids.claim(asid)) throw new SnapshotError(`ASID ${asid} is in use`);
    this.#asid = asid;
    this.#guest = guest === null ? null : GuestContext.resume(guest, this.#parts.random);
  }

  /** The VM is gone: DECOMMISSION and DEACTIVATE. What was encrypted under its key is lost. */
  close(): void {
    if (this.#asid === 0) return;
    if (this.#guest !== null) this.#parts.host.views.retire(this.#asid);
    this.#parts.asids.release(this.#asid);
    this.#asid = 0;
    this.#guest = null;
  }

  #dispatch(command: SevCommand): void {
    const { id } = command;
    switch (id) {
      case SEV_COMMANDS.KVM_SEV_INIT:
        return this.#init(command, VM_TYPES.KVM_X86_DEFAULT_VM);
      case SEV_COMMANDS.KVM_SEV_ES_INIT:
        throw refusal(command, ERRNO.ENOTTY);
      case SEV_COMMANDS.KVM_SEV_INIT2:
        return this.#init2(command);
      case SEV_COMMANDS.KVM_SEV_LAUNCH_START:
        return this.#launchStart(command);
      case SEV_COMMANDS.KVM_SEV_LAUNCH_UPDATE_DATA:
        return this.#launchUpdateData(command);
      case SEV_COMMANDS.KVM_SEV_LAUNCH_MEASURE:
        return this.#launchMeasure(command);
      case SEV_COMMANDS.KVM_SEV_LAUNCH_FINISH:
        return this.#launched(command).finish();
      case SEV_COMMANDS.KVM_SEV_GUEST_STATUS:
        return this.#guestStatus(command);
      case SEV_COMMANDS.KVM_SEV_DBG_DECRYPT:
      case SEV_COMMANDS.KVM_SEV_DBG_ENCRYPT:
        return this.#debug(command, id === SEV_COMMANDS.KVM_SEV_DBG_DECRYPT);
      default:
        return this.#other(command);
    }
  }

  #other(command: SevCommand): void {
    const { id } = command;
    if (ENCRYPTED_STATE.has(id) || (id >= SNP_FIRST && id <= SNP_LAST)) throw refusal(command, ERRNO.ENOTTY);
    if (!NOT_BUILT.has(id)) throw refusal(command, ERRNO.EINVAL);
    this.#mustBeSev(command);
    throw new FirmwareRefusal(STATUS.unsupported, `${command.name} is not built`);
  }

  #init(command: SevCommand, type: number): void {
    if (this.#parts.type !== type || this.#parts.createdVcpus() > 0 || this.isActive)
      throw refusal(command, ERRNO.EINVAL);
    this.#activate(command);
  }

  #init2(command: SevCommand): void {
    if (this.#parts.type !== VM_TYPES.KVM_X86_SEV_VM) throw refusal(command, ERRNO.EINVAL);
    const init = structOf(command, SEV_INIT);
    const isPlain = init.get('flags') === 0 && init.getBig('vmsa_features') === 0n && init.get('ghcb_version') === 0;
    if (!isPlain) throw refusal(command, ERRNO.EINVAL);
    this.#init(command, VM_TYPES.KVM_X86_SEV_VM);
  }

  #activate(command: SevCommand): void {
    this.#asid = this.#parts.asids.take();
    if (this.#asid === 0) throw refusal(command, ERRNO.EBUSY);
    this.#parts.space.becomeSev();
  }

  #launchStart(command: SevCommand): void {
    this.#mustBeSev(command);
    const start = structOf(command, SEV_LAUNCH_START);
    this.#mustHaveDevice(command);
    if (start.get('dh_uaddr') !== 0 || start.get('session_uaddr') !== 0)
      throw new FirmwareRefusal(STATUS.unsupported, 'sessions of a guest owner are not built');
    if (start.get('handle') !== 0) throw new FirmwareRefusal(STATUS.unsupported, 'sharing keys is not built');
    if (this.#guest !== null) throw new FirmwareRefusal(STATUS.asidOwned, `ASID ${this.#asid} has a guest`);
    const { nextHandle, random, host, space } = this.#parts;
    const guest = new GuestContext(nextHandle(), start.get('policy'), random);
    host.keys.activate(this.#asid);
    space.useAsid(this.#asid);
    this.#guest = guest;
    start.set('handle', guest.handle);
  }

  #launchUpdateData(command: SevCommand): void {
    this.#mustBeSev(command);
    const update = structOf(command, SEV_LAUNCH_UPDATE_DATA);
    const hva = update.get('uaddr');
    const length = update.get('len');
    // KVM pins the pages before it asks the firmware.
    if (length === 0 || hva + length > Number.MAX_SAFE_INTEGER) throw refusal(command, ERRNO.EINVAL);
    const guest = this.#launched(command);
    guest.mustBeUpdating();
    if (hva % BLOCK_BYTES !== 0) throw new FirmwareRefusal(STATUS.invalidAddress, 'an address inside a block');
    if (length % BLOCK_BYTES !== 0) throw new FirmwareRefusal(STATUS.invalidLength, 'a length that is no blocks');
    const { host, space } = this.#parts;
    const place = { host, space, asid: this.#asid };
    if (!encryptInPlace(place, hva, length, (plain) => guest.measure(plain))) throw refusal(command, ERRNO.EFAULT);
  }

  /** With length 0 KVM answers the length, and the firmware's refusal all the same. */
  #launchMeasure(command: SevCommand): void {
    this.#mustBeSev(command);
    const measure = structOf(command, SEV_LAUNCH_MEASURE);
    const room = measure.get('len');
    if (room > MAX_BLOB) throw refusal(command, ERRNO.EINVAL);
    const guest = this.#launched(command);
    measure.set('len', MEASUREMENT_BLOB_BYTES);
    const blob = guest.finishMeasurement(room);
    if (!this.#parts.user.write(measure.get('uaddr'), blob)) throw refusal(command, ERRNO.EFAULT);
  }

  #guestStatus(command: SevCommand): void {
    this.#mustBeSev(command);
    const status = structOf(command, SEV_GUEST_STATUS);
    const { handle, policy, state } = this.#launched(command);
    status.set('handle', handle).set('policy', policy).set('state', state);
  }

  #debug(command: SevCommand, decrypts: boolean): void {
    this.#mustBeSev(command);
    const debug = structOf(command, SEV_DBG);
    const length = debug.get('len');
    if (length === 0) throw refusal(command, ERRNO.EINVAL);
    this.#launched(command).mustBeDebuggable();
    const { host, user } = this.#parts;
    const [from, to] = [debug.get('src_uaddr'), debug.get('dst_uaddr')];
    const bytes = decrypts ? readDecrypted(host, this.#asid, from, length) : user.read(from, length);
    const isDone = bytes !== null && (decrypts ? user.write(to, bytes) : writeEncrypted(host, this.#asid, to, bytes));
    if (!isDone) throw refusal(command, ERRNO.EFAULT);
  }

  #launched(command: SevCommand): GuestContext {
    this.#mustBeSev(command);
    this.#mustHaveDevice(command);
    if (this.#guest === null) throw new FirmwareRefusal(STATUS.invalidGuest, 'LAUNCH_START comes first');
    return this.#guest;
  }

  #mustBeSev(command: SevCommand): void {
    if (!this.isActive) throw refusal(command, ERRNO.ENOTTY);
  }

  #mustHaveDevice(command: SevCommand): void {
    if (command.sevFd !== NO_DEVICE) throw refusal(command, ERRNO.EBADF);
  }
}

function refusal(command: SevCommand, errno: number): SevError {
  return new SevError(command.name, errno, errnoName(errno), 0);
}

/** The command's struct. EFAULT for a null pointer or fewer bytes: the kernel would read past them. */
function structOf<F extends Fields>(command: SevCommand, layout: Layout<F>): Struct<F> {
  const { data } = command;
  if (data === null || data.length < layout.size) throw refusal(command, ERRNO.EFAULT);
  return layout.at(data.buffer, data.byteOffset);
}
