import { type InspectionOrder, type InspectionResult, UnpinError, type VerdictMessage } from '@unpin/contract';
import type { Verdict } from '@unpin/policy';

export interface InspectorDeps {
  readonly inspect: (boot: InspectionOrder['boot']) => Promise<Verdict>;
  /** Delivers a result; rejects where the control plane did not take it. */
  readonly deliver: (image: string, result: InspectionResult) => Promise<void>;
}

/** Inspects what the control plane asks for, one at a time, each order once; a result stays until it is delivered. */
export class Inspector {
  readonly #deps: InspectorDeps;
  /** By image, the newest generation that was looked at, and its result. */
  readonly #results = new Map<string, InspectionResult>();
  #busy = false;

  constructor(deps: InspectorDeps) {
    this.#deps = deps;
  }

  /** Works through orders; one that is still listed was not delivered, or not looked at. Never rejects. */
  async work(orders: readonly InspectionOrder[]): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (const order of orders) {
        const result = this.#known(order) ?? (await this.#look(order));
        this.#results.set(order.name, result);
        if (!(await this.#delivered(order.name, result))) return;
      }
    } finally {
      this.#busy = false;
    }
  }

  #known(order: InspectionOrder): InspectionResult | undefined {
    const result = this.#results.get(order.name);
    return result?.generation === order.generation ? result : undefined;
  }

  async #look({ generation, boot }: InspectionOrder): Promise<InspectionResult> {
    try {
      return { generation, verdict: (await this.#deps.inspect(boot)) as VerdictMessage };
    } catch (error) {
      return { generation, error: UnpinError.from(error).toBody() };
    }
  }

  async #delivered(image: string, result: InspectionResult): Promise<boolean> {
    try {
      await this.#deps.deliver(image, result);
      this.#results.delete(image);
      return true;
    } catch {
      return false;
    }
  }
}
