import type { View } from '../port/index.ts';
import type { HostUse } from './lie.ts';

/**
 * What a processor with SEV and private memory in a guest_memfd does. It never faults on a wrong view: one frame stands
 * behind an address at a time, chosen by the attribute, and the C bit only chooses whether the memory controller
 * en- and decrypts (AMD64 Architecture Programmer's Manual, volume 2, 15.34).
 */
export function consumedOnHardware(view: View, writtenView: View): string {
  return view === 'private'
    ? `reads the plaintext of the ${writtenView} write decrypted: garbage, silently`
    : 'reads the ciphertext of the private write, silently';
}

/** An out-of-place conversion gave the old frame back. */
export function discardedOnHardware(view: View): string {
  return view === 'private'
    ? 'reads the shared frame decrypted: garbage; the private frame with the data was given back at the conversion'
    : 'reads the ciphertext of the private frame; the shared frame with the data was given back at the conversion';
}

/** The host maps the shared side only, whatever the guest has in its private frame. */
export function hostUseOnHardware(what: HostUse): string {
  switch (what) {
    case 'kvm-clock':
    case 'wall-clock':
    case 'steal-time':
    case 'async-page-fault':
    case 'pv-eoi':
      return 'KVM writes into the shared frame, the guest goes on reading its private one: it never sees the update';
    case 'virtqueue':
    case 'pio-string':
      return 'the host reads the shared frame, zeros or stale bytes, and its answer never reaches the guest';
  }
}
