import { once } from 'node:events';
import type { TracePage } from '@unpin/contract';
import { traceLine } from '../render/trace-event.ts';
import { TraceSummary } from '../render/trace-summary.ts';

export interface TraceOutputOptions {
  readonly stream: NodeJS.WriteStream;
  /** One object a line. */
  readonly json: boolean;
  /** `\r\n` where the terminal is in raw mode. */
  readonly lineEnd?: string;
}

/** A trace as it comes, line by line, and at its end what it amounts to. */
export class TraceOutput {
  readonly #options: TraceOutputOptions;
  readonly #summary = new TraceSummary();

  constructor(options: TraceOutputOptions) {
    this.#options = options;
  }

  /** Resolves when whoever reads has kept up. */
  async page(page: TracePage): Promise<void> {
    this.#summary.add(page);
    const { json } = this.#options;
    const { events, lost } = page;
    const lines = events.map((event) => (json ? JSON.stringify(event) : traceLine(event)));
    if (lost > 0) lines.unshift(json ? JSON.stringify({ kind: 'lost', count: lost }) : `… ${lost} events lost`);
    await this.#write(lines);
  }

  async summary(): Promise<void> {
    const { json } = this.#options;
    await this.#write(json ? [JSON.stringify(this.#summary.json())] : ['', ...this.#summary.text().split('\n')]);
  }

  async #write(lines: readonly string[]): Promise<void> {
    const { stream, lineEnd = '\n' } = this.#options;
    if (lines.length === 0) return;
    if (!stream.write(lines.map((line) => `${line}${lineEnd}`).join(''))) await once(stream, 'drain');
  }
}
