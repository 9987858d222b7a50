import { isMeant } from './apic-destination.ts';
import { DELIVERY, type InterruptMessage, SHORTHAND } from './interrupt-message.ts';
import type { LocalApic } from './local-apic.ts';

const PHYSICAL_BROADCAST = 0xff;

/** What interrupt messages travel on: the local APICs of a VM. */
export class ApicBus {
  readonly #apics: LocalApic[] = [];

  get apics(): readonly LocalApic[] {
    return this.#apics;
  }

  attach(apic: LocalApic): void {
    this.#apics.push(apic);
  }

  /** Delivers a message; `from` is the APIC of an IPI. Answers how many took it, 0 where none is meant or all refuse. */
  deliver(asked: InterruptMessage, from?: LocalApic): number {
    if (asked.shorthand === SHORTHAND.self) return from?.accept(asked) === true ? 1 : 0;
    const message = isBroadcastToOne(asked) ? { ...asked, delivery: DELIVERY.fixed } : asked;
    if (message.isHinted || message.delivery === DELIVERY.lowestPriority) return this.#deliverToOne(message, from);
    let taken = 0;
    for (const apic of this.#apics)
      if (apic.isHardwareEnabled && this.#isMeant(apic, message, from) && apic.accept(message)) taken += 1;
    return taken;
  }

  /**
   * Lowest priority: one of those that are meant and switched on, chosen by the vector, as KVM does
   * (kvm.vector_hashing, on by default).
   */
  #deliverToOne(message: InterruptMessage, from: LocalApic | undefined): number {
    const meant = this.#apics.filter(
      (apic) => apic.isHardwareEnabled && apic.isSoftwareEnabled && this.#isMeant(apic, message, from),
    );
    const chosen = meant[message.vector % meant.length];
    return chosen?.accept(message) === true ? 1 : 0;
  }

  #isMeant(apic: LocalApic, message: InterruptMessage, from: LocalApic | undefined): boolean {
    switch (message.shorthand) {
      case SHORTHAND.all:
        return true;
      case SHORTHAND.others:
        return apic !== from;
      default:
        return isMeant(apic, message.destination, message.isLogical, from !== undefined);
    }
  }
}

/**
 * Of a physical broadcast to one KVM makes a fixed one: to all, unless it was a hint that asked for one. Only the
 * destination field counts, also beside a shorthand.
 */
function isBroadcastToOne({ delivery, isLogical, destination, isHinted }: InterruptMessage): boolean {
  if (!isHinted && delivery !== DELIVERY.lowestPriority) return false;
  return !isLogical && destination === PHYSICAL_BROADCAST;
}
