import type { TraceEvent, TracePage, TraceTotals } from '@unpin/contract';
import { table } from './table.ts';
import { exceptionName } from './trace-event.ts';
import { nanoseconds } from './units.ts';

/** Places that are shown of those where samples were taken. */
const HOTTEST = 10;

/** What a trace amounts to, collected page by page. */
export class TraceSummary {
  #events = 0;
  #lost = 0;
  #totals: TraceTotals = { ns: 0, exits: {} };
  readonly #counts = new Map<string, number>();
  readonly #samples = new Map<string, number>();

  add({ events, lost, totals }: TracePage): void {
    this.#events += events.length;
    this.#lost += lost;
    this.#totals = totals;
    for (const event of events) {
      if (event.kind === 'sample') count(this.#samples, placeOf(event));
      else if (event.kind !== 'exit') count(this.#counts, nameOf(event));
    }
  }

  /** Exits are counted where they happen; the others are those that arrived. */
  json(): object {
    const { ns, exits } = this.#totals;
    return {
      kind: 'summary',
      ns,
      events: this.#events,
      lost: this.#lost,
      exits,
      faultsAndConversions: Object.fromEntries(this.#counts),
      samples: Object.fromEntries(byCount(this.#samples)),
    };
  }

  text(): string {
    const { ns } = this.#totals;
    const lost = this.#lost === 0 ? '' : `, ${this.#lost} lost: they came faster than they were read`;
    const head = `traced ${nanoseconds(ns)}, ${this.#events} ${this.#events === 1 ? 'event' : 'events'}${lost}`;
    return [head, ...this.#exitTable(), ...this.#countTable(), ...this.#sampleTable()].join('\n');
  }

  #exitTable(): string[] {
    const { ns, exits } = this.#totals;
    const rows = Object.entries(exits).sort(([, a], [, b]) => b.ns - a.ns);
    if (rows.length === 0) return [];
    const all = rows.reduce((sum, [, exit]) => ({ count: sum.count + exit.count, ns: sum.ns + exit.ns }), {
      count: 0,
      ns: 0,
    });
    const row = (name: string, exit: { count: number; ns: number }): string[] => [
      `  ${name}`,
      String(exit.count).padStart(9),
      nanoseconds(exit.ns).padStart(9),
      nanoseconds(exit.count === 0 ? 0 : exit.ns / exit.count).padStart(9),
      share(exit.ns, ns),
    ];
    const rest = Math.max(0, ns - all.ns);
    return [
      table([
        ['exits', '    count', '   in VMM', '     each', ' of the time'],
        ...rows.map(([reason, exit]) => row(reason, exit)),
        ...(rows.length > 1 ? [row('all', all)] : []),
        ['  in the guest and KVM', '', nanoseconds(rest).padStart(9), '', share(rest, ns)],
      ]),
    ];
  }

  #countTable(): string[] {
    const rows = byCount(this.#counts).map(([name, number]) => [`  ${name}`, String(number).padStart(9)]);
    return rows.length === 0 ? [] : [table([['faults and conversions'], ...rows])];
  }

  #sampleTable(): string[] {
    const all = [...this.#samples.values()].reduce((sum, number) => sum + number, 0);
    if (all === 0) return [];
    const rows = byCount(this.#samples).map(([name, number]) => [share(number, all), name]);
    const more = rows.length > HOTTEST ? [`        and ${rows.length - HOTTEST} more places`] : [];
    return [`hottest of ${all} samples`, table(rows.slice(0, HOTTEST)), ...more];
  }
}

function nameOf(event: Extract<TraceEvent, { kind: 'fault' | 'conversion' }>): string {
  if (event.kind === 'conversion') return `conversion to ${event.to}${event.ret === 0 ? '' : ', refused'}`;
  return event.fault === 'exception' ? exceptionName(event.vector) : event.fault;
}

/** A sample's function: what is behind the symbol's name is the same place to who asks where time went. */
function placeOf(event: Extract<TraceEvent, { kind: 'sample' }>): string {
  if (event.cpl !== 0) return '(user code)';
  const name = event.symbol?.replace(/\+0x[0-9a-f]+$/, '') ?? event.rip;
  return event.halted ? `${name} (halted)` : name;
}

function count(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

function byCount(map: ReadonlyMap<string, number>): [string, number][] {
  return [...map].sort(([, a], [, b]) => b - a);
}

function share(part: number, whole: number): string {
  return `${whole === 0 ? '0.0' : ((part / whole) * 100).toFixed(1)} %`.padStart(8);
}
