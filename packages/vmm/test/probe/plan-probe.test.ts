import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { GuestMemory, View } from '@unpin/kvm';
import * as fc from 'fast-check';
import { EXCHANGE_RESULT, exchangePattern, type ProbeOptions, pattern, planProbe } from '../../probe/index.ts';
import * as layout from '../../probe/layout.ts';
import { BootError, ramRanges } from '../../src/boot/index.ts';
import { walk, wordsOf } from '../boot/walk.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const options = (over: Partial<ProbeOptions> = {}): ProbeOptions => ({
  ram: ramRanges(64 * MIB),
  cBit: 47,
  flavour: 'honest',
  channel: 'vmmcall',
  touchBytes: 16 * MIB,
  ...over,
});

/** What the parameter page says of the channel: the upper half of the word at the flavour. */
const channel = (over: Partial<ProbeOptions>) =>
  Number(wordsOf(planProbe(options(over)).pieces)(layout.PARAMETERS + layout.PARAMETER.flavour) >> 32n);

describe('a probe’s plan', () => {
  test('maps all that is touched as private, and what is exchanged in both views', () => {
    const cases = fc.record({
      mib: fc.integer({ min: 4, max: 9000 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      cBit: fc.option(fc.integer({ min: 40, max: 51 }), { nil: null }),
    });
    fc.assert(
      fc.property(cases, ({ mib, share, cBit }) => {
        const ram = ramRanges(mib * MIB);
        const touchBytes = Math.floor((share * (mib - 2) * MIB) / 4096) * 4096;
        const plan = planProbe(options({ ram, cBit, touchBytes }));
        const u64 = wordsOf(plan.pieces);
        const leads = (va: number, gpa: number, isPrivate: boolean) =>
          assert.deepEqual(walk(u64, plan.entry.cr3, va, cBit), {
            gpa,
            cBit: isPrivate && cBit !== null,
            walkPrivate: true,
          });
        const parameter = (offset: number) => Number(u64(layout.PARAMETERS + offset));
        const { touchLowGpa, touchLowSize, touchHighGpa, touchHighSize } = layout.PARAMETER;
        assert.equal(parameter(touchLowSize) + parameter(touchHighSize), touchBytes);
        for (const [gpa, size] of [
          [parameter(touchLowGpa), parameter(touchLowSize)],
          [parameter(touchHighGpa), parameter(touchHighSize)],
        ] as const)
          if (size > 0) {
            leads(gpa, gpa, true);
            leads(gpa + size - 4096, gpa + size - 4096, true);
            assert.ok(
              ram.some((range) => gpa >= range.gpa && gpa + size <= range.gpa + range.size),
              'touches RAM only',
            );
          }
        leads(layout.CODE, layout.CODE, true);
        leads(layout.EXCHANGE, layout.EXCHANGE, true);
        leads(layout.SHARED_WINDOW + layout.EXCHANGE, layout.EXCHANGE, false);
        assert.equal(plan.entry.rsp, layout.STACK_TOP);
      }),
      { numRuns: 60 },
    );
  });

  test('takes the silent probe’s channel away', () => {
    assert.equal(channel({ flavour: 'silent' }), 0);
    assert.equal(channel({ flavour: 'lying' }), layout.CHANNELS.indexOf('vmmcall'));
  });

  test('refuses to touch more than there is, and what isn’t pages', () => {
    const refused = (over: Partial<ProbeOptions>, kind: string) =>
      assert.throws(
        () => planProbe(options(over)),
        (error: unknown) => error instanceof BootError && error.kind === kind,
      );
    refused({ touchBytes: 62 * MIB + 4096 }, 'memory-size');
    refused({ touchBytes: 100 }, 'memory-size');
    refused({ touchBytes: -4096 }, 'memory-size');
    refused({ ram: ramRanges(512 * GIB), touchBytes: 400 * GIB }, 'bad-mapping');
    assert.throws(() => planProbe(options({ exchangePages: 65 })), RangeError);
    planProbe(options({ touchBytes: 62 * MIB }));
  });
});

/** 1 MiB of RAM at the exchanged pages, one buffer a view, all private to begin with. */
class TwoViews {
  readonly views = { private: new Uint8Array(MIB), shared: new Uint8Array(MIB) };
  readonly shared = new Set<number>();
  covers = ({ gpa, size }: { gpa: number; size: number }) =>
    gpa >= layout.EXCHANGE && gpa + size <= layout.EXCHANGE + MIB;
  attributeOf = (gpa: number): View => (this.shared.has(gpa) ? 'shared' : 'private');
  read = (gpa: number, size: number, view: View) =>
    this.views[view].slice(gpa - layout.EXCHANGE, gpa - layout.EXCHANGE + size);
  write = (gpa: number, bytes: Uint8Array, view: View) => this.views[view].set(bytes, gpa - layout.EXCHANGE);
}

const request = (over = {}) => ({ gpa: layout.EXCHANGE, count: 2, command: layout.COMMAND.exchange, ...over });
const memoryOf = (views: TwoViews) => views as unknown as GuestMemory;

describe('the host’s side of an exchange', () => {
  test('answers a pattern with its own, through the shared view', () => {
    const views = new TwoViews();
    views.write(layout.EXCHANGE, pattern(layout.GUEST_SEED, 8192), 'shared');
    views.shared.add(layout.EXCHANGE).add(layout.EXCHANGE + 4096);
    assert.equal(exchangePattern(memoryOf(views), request(), true), EXCHANGE_RESULT.ok);
    assert.deepEqual(views.read(layout.EXCHANGE, 8192, 'shared'), pattern(layout.HOST_SEED, 8192));
    assert.ok(
      views.views.private.every((byte) => byte === 0),
      'private memory is left alone',
    );
  });

  test('refuses a page that a reporting guest has not shared, and takes it from one that never reports', () => {
    const views = new TwoViews();
    views.write(layout.EXCHANGE, pattern(layout.GUEST_SEED, 8192), 'shared');
    views.shared.add(layout.EXCHANGE);
    assert.equal(exchangePattern(memoryOf(views), request(), true), EXCHANGE_RESULT.private);
    assert.deepEqual(views.read(layout.EXCHANGE, 8192, 'shared'), pattern(layout.GUEST_SEED, 8192));
    assert.equal(exchangePattern(memoryOf(views), request(), false), EXCHANGE_RESULT.ok);
  });

  test('notices one wrong byte, and refuses what is no RAM or no count', () => {
    const views = new TwoViews();
    const bytes = pattern(layout.GUEST_SEED, 8192);
    bytes[8191] = (bytes[8191] ?? 0) ^ 1;
    views.write(layout.EXCHANGE, bytes, 'shared');
    const answer = (over: object) => exchangePattern(memoryOf(views), request(over), false);
    assert.equal(answer({}), EXCHANGE_RESULT.mismatch);
    for (const over of [{ count: 0 }, { count: 65 }, { count: 2 ** 32 - 1 }, { gpa: 0 }, { gpa: 2 ** 44 - 4096 }])
      assert.equal(answer(over), EXCHANGE_RESULT.range, JSON.stringify(over));
  });
});
