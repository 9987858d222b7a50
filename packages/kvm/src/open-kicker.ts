import type { Kicker, KickTarget } from './port/vcpu.ts';

/** A Kicker for a thread that has no Kvm open. Loads what the target's backend needs and nothing of the other one. */
export async function openKicker(target: KickTarget): Promise<Kicker> {
  switch (target.backend) {
    case 'linux': {
      const { LinuxKicker } = await import('./linux/kick.ts');
      return new LinuxKicker(target);
    }
    case 'software': {
      const { SoftwareKicker } = await import('./software/kick.ts');
      return new SoftwareKicker(target);
    }
  }
}
