import { type GpaRange, PAGE_BYTES, type View } from '../port/index.ts';
import { type Discarded, DiscardLedger, deletePages } from './discard-ledger.ts';
import { Extents, pagesOf } from './extents.ts';
import type { HostUse, Judgement, Lie, WrongView } from './lie.ts';
import { MixedPage } from './mixed-page.ts';
import { consumedOnHardware, discardedOnHardware, hostUseOnHardware } from './on-hardware.ts';
import { type Mapping, otherView, type SidePages } from './side-pages.ts';
import { WalkAhead } from './walk-ahead.ts';

/** One access, inside RAM. A read's bytes are filled into `data`. */
export interface ViewAccess {
  /** Without the C bit. */
  readonly gpa: number;
  readonly view: View;
  readonly isWrite: boolean;
  readonly data: Uint8Array;
}

/** What changing attributes did, in bytes. */
export interface ViewConversion {
  readonly changed: number;
  readonly discarded: number;
  readonly lost: number;
}

/** Told of every change, in order; the ranges are page numbers. */
export type MappingPort = (start: number, end: number, mapping: Mapping) => void;

/** What a page may cost before both its views are mapped: enough to clear it twice in eights through a trap. */
const PAGE_BUDGET = 1024;
/** A switch of the mapped view costs as much as this many trapped accesses: 64 switches a page. */
const SWITCH_COST = 16;
/** What all pages together may cost: about half a minute of exits. */
const TOTAL_BUDGET = 4 << 20;
/** Uses in which the host reads what the guest wrote; in the others it writes. */
const HOST_READS: ReadonlySet<HostUse> = new Set(['virtqueue', 'pio-string']);

/**
 * Judges what a guest does through two views of its RAM, byte by byte, from the exits that an unmapped view causes.
 *
 * A page is *plain* while one view at most holds live bytes; that view is mapped, so only accesses through the other
 * one are seen, and the unmapped side is all zeros. A write there makes it *mixed*: nothing is mapped and every access
 * is seen, until one view's bytes are all overwritten. So a byte that is read through another view than it was written
 * through is always seen while the page's budget lasts; after that the page counts as saturated.
 *
 * A byte is live if it isn't zero: a zero written through a mapped view can't be told from memory never written, and
 * reads the same through both views.
 */
export class ViewJudge {
  readonly attributes: Extents<View>;
  readonly mapping: Extents<Mapping>;
  readonly #sides: SidePages;
  readonly #onMapping: MappingPort;
  readonly #mixed = new Map<number, MixedPage>();
  readonly #discarded = new DiscardLedger();
  readonly #spent = new Map<number, number>();
  readonly #walk = new WalkAhead();
  #totalSpent = 0;
  #saturated = 0;
  /** Mapped ahead of the guest: both views, until the next event shows what it used. */
  #ahead: { readonly start: number; readonly end: number; readonly from: View; readonly to: View } | null = null;

  /** All RAM starts with one attribute, and that view mapped. */
  constructor(sides: SidePages, attribute: View, onMapping: MappingPort) {
    this.#sides = sides;
    this.#onMapping = onMapping;
    this.attributes = new Extents<View>(attribute);
    this.mapping = new Extents<Mapping>(attribute);
  }

  /** Pages that ran out of budget since the start. */
  get saturatedPages(): number {
    return this.#saturated;
  }

  /** Does an access as the guest would see it and judges it. */
  access(access: ViewAccess): Judgement {
    this.settle();
    let wrongView: WrongView | null = null;
    const lies: Lie[] = [];
    for (let done = 0; done < access.data.length; ) {
      const gpa = access.gpa + done;
      const length = Math.min(access.data.length - done, PAGE_BYTES - (gpa % PAGE_BYTES));
      const part = { ...access, gpa, data: access.data.subarray(done, done + length) };
      const judged = this.#accessPage(part, Math.floor(gpa / PAGE_BYTES), lies);
      wrongView ??= judged;
      done += length;
    }
    return { wrongView, lies };
  }

  /** The host is about to use a range of RAM: it uses the shared side, which is mapped afterwards. */
  hostUse(range: GpaRange, what: HostUse): Lie[] {
    this.settle();
    const lies: Lie[] = [];
    for (let gpa = range.gpa; gpa < range.gpa + range.size; ) {
      const end = Math.min(range.gpa + range.size, (Math.floor(gpa / PAGE_BYTES) + 1) * PAGE_BYTES);
      this.#hostUsesPage({ gpa, size: end - gpa }, what, lies);
      gpa = end;
    }
    return lies;
  }

  /** Sets the attribute of pages and discards the unused side. A page that has it already is left as it is. */
  convert(start: number, end: number, to: View): ViewConversion {
    this.settle();
    const changedRuns = this.attributes.set(start, end, to);
    let discarded = 0;
    let lost = 0;
    for (const run of changedRuns) {
      // Unmapped before anything is read or given back: what is running can't write any more.
      const before = this.mapping.runs(run.start, run.end);
      this.#map(run.start, run.end, to);
      this.#discarded.forget(run.start, run.end);
      for (const { start, end, value } of before) {
        if (value !== to) this.#recordDiscards(start, end, otherView(to));
        if (value === otherView(to)) continue;
        lost += this.#countLost(start, end, to);
        discarded += this.#sides.discard(to, start, end);
      }
      discarded += this.#sides.discard(otherView(to), run.start, run.end);
      deletePages(this.#mixed, run.start, run.end);
      deletePages(this.#spent, run.start, run.end);
    }
    return { changed: pagesOf(changedRuns) * PAGE_BYTES, discarded, lost };
  }

  /** Gives every trapped page its last chance up: both views are mapped. Answers whether anything changed. */
  relax(page?: number): boolean {
    this.settle();
    const pages = new Set(this.#mixed.keys());
    if (page !== undefined && this.mapping.at(page) !== 'both') pages.add(page);
    for (const page of pages) this.#saturate(page);
    return pages.size > 0;
  }

  /** Decides about the pages that were mapped ahead, from what they hold now. */
  settle(): void {
    const ahead = this.#ahead;
    if (ahead === null) return;
    this.#ahead = null;
    const { start, end, from, to } = ahead;
    const touched = pageSet(this.#sides.resident(to, start, end));
    for (let page = start; page < end; ) {
      const verdict = this.#usedView(page, from, to, touched);
      let stop = page + 1;
      while (stop < end && this.#usedView(stop, from, to, touched) === verdict) stop++;
      if (verdict === 'private' || verdict === 'shared') this.#makePlain(page, stop, verdict);
      else this.#saturated += stop - page;
      page = stop;
    }
  }

  #usedView(page: number, from: View, to: View, touched: ReadonlySet<number>): View | 'both' {
    if (!touched.has(page)) return from;
    if (this.#sides.isZero(from, page)) return to;
    return this.#sides.isZero(to, page) ? from : 'both';
  }

  #accessPage(access: ViewAccess, page: number, lies: Lie[]): WrongView | null {
    const { gpa, view, isWrite, data } = access;
    const mapping = this.mapping.at(page);
    if (mapping === view || mapping === 'both') {
      this.#perform(access);
      return null;
    }
    const before = this.#saturated;
    if (mapping === 'none') this.#accessMixed(access, page, lies);
    else this.#accessPlain(access, page, lies);
    const attribute = this.attributes.at(page);
    return { gpa, size: data.length, view, isWrite, attribute, saturated: this.#saturated > before };
  }

  /** The other view is mapped and holds what is live. */
  #accessPlain(access: ViewAccess, page: number, lies: Lie[]): void {
    const { view, isWrite, data } = access;
    const other = otherView(view);
    const offset = access.gpa % PAGE_BYTES;
    if (this.#sides.isZero(other, page) && this.#discarded.at(page, view) === undefined) {
      if (this.#spend(page, SWITCH_COST)) this.#switchTo(view, page);
      this.#perform(access);
      return;
    }
    if (isWrite) {
      const mixed = new MixedPage(other, this.#sides.peek(other, page * PAGE_BYTES, PAGE_BYTES));
      this.#mixed.set(page, mixed);
      this.#map(page, page + 1, 'none');
      this.#writeMixed(access, page, mixed);
    } else {
      this.#perform(access);
      const bytes = this.#sides.peek(other, access.gpa, data.length);
      this.#judgeRead(access, page, (at) => bytes[at - offset] !== 0, lies);
    }
    this.#spend(page, 1);
  }

  #accessMixed(access: ViewAccess, page: number, lies: Lie[]): void {
    const mixed = this.#mixed.get(page);
    if (mixed === undefined) throw new Error(`page ${page} is trapped without a history`);
    if (access.isWrite) {
      this.#writeMixed(access, page, mixed);
    } else {
      this.#perform(access);
      const other = otherView(access.view);
      this.#judgeRead(access, page, (at) => mixed.isOwnedBy(other, at), lies);
    }
    this.#spend(page, 1);
  }

  #writeMixed(access: ViewAccess, page: number, mixed: MixedPage): void {
    this.#perform(access);
    const offset = access.gpa % PAGE_BYTES;
    mixed.write(access.view, offset, access.data.length);
    this.#discarded.overwrite(page, offset, access.data.length);
    for (const view of ['private', 'shared'] as const) {
      const other = otherView(view);
      if (mixed.owned(other) > 0 || this.#discarded.at(page, view) !== undefined) continue;
      if (mixed.owned(view) === 0 && view !== this.attributes.at(page)) continue;
      // All live bytes are one view's again: the stale ones behind the other go, and the page is plain.
      this.#mixed.delete(page);
      this.#makePlain(page, page + 1, view);
      return;
    }
  }

  /** Adds a lie for the bytes last written through the other view, and one for those that a conversion discarded. */
  #judgeRead(access: ViewAccess, page: number, isOther: (offset: number) => boolean, lies: Lie[]): void {
    const { gpa, view, data } = access;
    const offset = gpa % PAGE_BYTES;
    const gone = this.#discarded.at(page, view);
    const other = { first: -1, count: 0 };
    const lost = { first: -1, count: 0 };
    for (let index = 0; index < data.length; index++) {
      const tally = isOther(offset + index) ? other : isGone(gone, offset + index) ? lost : null;
      if (tally === null) continue;
      if (tally.count++ === 0) tally.first = index;
    }
    const attribute = this.attributes.at(page);
    if (other.count > 0) {
      const writtenView = otherView(view);
      const onHardware = consumedOnHardware(view, writtenView);
      const kind = 'consumed-other-view';
      lies.push({
        kind,
        gpa: gpa + other.first,
        bytes: other.count,
        view,
        writtenView,
        attribute,
        exact: true,
        onHardware,
      });
    }
    if (lost.count > 0) {
      const onHardware = discardedOnHardware(view);
      const exact = gone?.bytes !== 'unknown';
      const kind = 'consumed-discarded';
      lies.push({
        kind,
        gpa: gpa + lost.first,
        bytes: lost.count,
        view,
        writtenView: view,
        attribute,
        exact,
        onHardware,
      });
    }
  }

  #hostUsesPage(range: GpaRange, what: HostUse, lies: Lie[]): void {
    const page = Math.floor(range.gpa / PAGE_BYTES);
    const mapping = this.mapping.at(page);
    const attribute = this.attributes.at(page);
    const privateBytes = mapping === 'shared' || mapping === 'both' ? 0 : this.#privateBytes(range, page);
    const host = { gpa: range.gpa, view: 'shared', attribute, hostUse: what, exact: true } as const;
    if (attribute === 'private') {
      const writtenView = privateBytes > 0 || mapping === 'private' ? 'private' : 'shared';
      lies.push({ ...host, kind: 'host-use', bytes: range.size, writtenView, onHardware: hostUseOnHardware(what) });
    } else if (privateBytes > 0 && HOST_READS.has(what)) {
      const onHardware = consumedOnHardware('shared', 'private');
      lies.push({ ...host, kind: 'consumed-other-view', bytes: privateBytes, writtenView: 'private', onHardware });
    }
    if (mapping === 'private' && this.#sides.isZero('private', page)) this.#makePlain(page, page + 1, 'shared');
    else if (mapping === 'private' || mapping === 'none') this.#saturate(page);
  }

  #privateBytes(range: GpaRange, page: number): number {
    const mixed = this.#mixed.get(page);
    const offset = range.gpa % PAGE_BYTES;
    const bytes = mixed === undefined ? this.#sides.peek('private', range.gpa, range.size) : null;
    let count = 0;
    for (let index = 0; index < range.size; index++)
      if (bytes === null ? mixed?.isOwnedBy('private', offset + index) : bytes[index] !== 0) count++;
    return count;
  }

  #switchTo(view: View, page: number): void {
    const from = otherView(view);
    this.#makePlain(page, page + 1, view);
    const wanted = this.#walk.step(page, view);
    if (wanted === 0) return;
    const end = Math.min(page + 1 + wanted, this.#untouchedUntil(page + 1, from, view));
    if (end <= page + 1) return;
    this.#walk.skip(end - page - 1);
    this.#ahead = { start: page + 1, end, from, to: view };
    this.#map(page + 1, end, 'both');
  }

  /** How far behind a page `from` is mapped with nothing in it, and nothing was lost that `to` would have to show. */
  #untouchedUntil(page: number, from: View, to: View): number {
    const run = this.mapping.runAt(page);
    if (run.value !== from) return page;
    const end = Math.min(run.end, this.attributes.runAt(page).end, page + 512);
    for (const held of this.#sides.resident(from, page, end))
      for (let at = held.start; at < held.end; at++) if (!this.#sides.isZero(from, at)) return at;
    for (let at = page; at < end; at++) if (this.#discarded.at(at, to) !== undefined) return at;
    return end;
  }

  /** Answers whether the page may go on; false when it has become saturated. */
  #spend(page: number, cost: number): boolean {
    const spent = (this.#spent.get(page) ?? 0) + cost;
    this.#spent.set(page, spent);
    this.#totalSpent += cost;
    if (spent < PAGE_BUDGET && this.#totalSpent < TOTAL_BUDGET) return true;
    this.#saturate(page);
    return false;
  }

  #saturate(page: number): void {
    this.#mixed.delete(page);
    this.#map(page, page + 1, 'both');
    this.#saturated++;
  }

  #countLost(start: number, end: number, view: View): number {
    let lost = 0;
    for (const page of pagesIn(this.#sides.resident(view, start, end))) {
      if (this.#sides.isZero(view, page)) continue;
      for (const byte of this.#sides.peek(view, page * PAGE_BYTES, PAGE_BYTES)) if (byte !== 0) lost++;
    }
    return lost;
  }

  #recordDiscards(start: number, end: number, view: View): void {
    for (const page of pagesIn(this.#sides.resident(view, start, end))) {
      if (this.#sides.isZero(view, page)) continue;
      const mixed = this.#mixed.get(page);
      this.#discarded.record(page, view, this.#sides.peek(view, page * PAGE_BYTES, PAGE_BYTES), (offset) =>
        mixed === undefined ? true : mixed.isOwnedBy(view, offset),
      );
    }
  }

  /** Maps one view; what is behind the other one holds nothing live and is given back, so that memory never doubles. */
  #makePlain(start: number, end: number, view: View): void {
    this.#map(start, end, view);
    this.#sides.discard(otherView(view), start, end);
  }

  #map(start: number, end: number, mapping: Mapping): void {
    if (this.mapping.set(start, end, mapping).length > 0) this.#onMapping(start, end, mapping);
  }

  #perform(access: ViewAccess): void {
    const { gpa, view, isWrite, data } = access;
    if (isWrite) this.#sides.poke(view, gpa, data);
    else data.set(this.#sides.peek(view, gpa, data.length));
  }
}

function isGone(gone: Discarded | undefined, offset: number): boolean {
  return gone !== undefined && (gone.bytes === 'unknown' || gone.bytes[offset] === 1);
}

function* pagesIn(runs: Iterable<{ readonly start: number; readonly end: number }>): Generator<number> {
  for (const { start, end } of runs) for (let page = start; page < end; page++) yield page;
}

function pageSet(runs: Iterable<{ readonly start: number; readonly end: number }>): ReadonlySet<number> {
  return new Set(pagesIn(runs));
}
