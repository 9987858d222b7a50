import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { View } from '../src/port/index.ts';
import { noUserFaults } from './helpers/no-user-faults.ts';
import {
  type GuestStep,
  type HostAction,
  noGuestHere,
  runShapedGuest,
  type ShapedGuestJob,
  type ShapedGuestResult,
} from './helpers/shaped-guest.ts';

const MiB = 1 << 20;
const PAGE = 4096;
/** Test pages lie here, above the guest's own. */
const AT = 4 * MiB;

const write = (view: View, gpa: number, value: number, size: 1 | 8 | 16 = 8): GuestStep => ({
  do: 'write',
  view,
  gpa,
  value,
  size,
});
const read = (view: View, gpa: number): GuestStep => ({ do: 'read', view, gpa });
const fill = (view: View, gpa: number, bytes: number, value: number): GuestStep => ({
  do: 'fill',
  view,
  gpa,
  bytes,
  value,
});
const call = (action: number): GuestStep => ({ do: 'call', action });
const share = (gpa: number, size = PAGE): HostAction => ({ do: 'convert', gpa, size, to: 'shared' });

async function run(
  steps: readonly GuestStep[],
  actions: readonly HostAction[] = [],
  options: Partial<Pick<ShapedGuestJob, 'type' | 'privilege' | 'privateSide' | 'ramBytes'>> = {},
): Promise<ShapedGuestResult> {
  const job = {
    type: 'sev-upm',
    ramBytes: 32 * MiB,
    privilege: 3,
    privateSide: 'guest_memfd',
    steps,
    actions,
    ...options,
  } as const;
  const result = await runShapedGuest(job);
  assert.equal(result.end, 'done');
  return result;
}

for (const privilege of [3, 0] as const)
  for (const privateSide of ['guest_memfd', 'memfd'] as const)
    describe(`a shaped guest in ring ${privilege}, its private side a ${privateSide}`, { skip: noGuestHere() }, () => {
      const options = { privilege, privateSide } as const;

      test('that reports its pages has no exit at its memory and no lie', async () => {
        const steps = [
          write('private', AT, 0x11),
          call(0),
          write('shared', AT + PAGE, 0x22),
          read('private', AT),
          read('shared', AT + PAGE),
          call(1),
        ];
        const result = await run(steps, [share(AT + PAGE), { do: 'figures' }], options);
        assert.deepEqual(result.reads, [0x11, 0x22]);
        assert.equal(result.mmioExits, 0);
        assert.deepEqual(result.lies, []);
        assert.equal(result.figures[0]?.shared, PAGE);
      });

      test('finds zeros behind the other view, and each byte that it takes from there is named', async () => {
        const result = await run([write('private', AT, 0x1122), read('shared', AT), read('private', AT)], [], options);
        assert.deepEqual(result.reads, [0, 0x1122]);
        assert.equal(result.lies.length, 1);
        assert.partialDeepStrictEqual(result.lies[0], {
          kind: 'consumed-other-view',
          gpa: AT,
          bytes: 2,
          view: 'shared',
        });
      });

      test('that writes through both views keeps both, and is told of the byte it reads wrongly', async () => {
        const steps = [
          write('private', AT, 0x55),
          write('shared', AT + 64, 0x66),
          read('shared', AT + 64),
          read('private', AT),
          read('private', AT + 64),
        ];
        const result = await run(steps, [], options);
        assert.deepEqual(result.reads, [0x66, 0x55, 0]);
        assert.deepEqual(
          result.lies.map(({ gpa, bytes, view }) => ({ gpa, bytes, view })),
          // The write was eight bytes wide: its zeros, too, were written through the shared view.
          [{ gpa: AT + 64, bytes: 8, view: 'private' }],
        );
      });

      test('that clears memory before it reports it is believed, at the price of a few exits', async () => {
        const steps = [fill('shared', AT, 2 * MiB, 0), call(0), fill('shared', AT, PAGE, 7), read('shared', AT)];
        const result = await run(steps, [share(AT, 2 * MiB)], options);
        assert.deepEqual(result.lies, []);
        assert.equal(result.reads[0], 7);
        assert.ok(result.mmioExits <= 20, `${result.mmioExits} exits for 512 pages`);
      });

      test('that asks the host to use a page it did not report is told so', async () => {
        const use = { do: 'use', gpa: AT, size: 32, what: 'kvm-clock' } as const;
        const result = await run([write('shared', AT, 1), call(0), read('shared', AT)], [use], options);
        assert.partialDeepStrictEqual(result.lies[0], {
          kind: 'host-use',
          gpa: AT,
          hostUse: 'kvm-clock',
          attribute: 'private',
        });
        assert.deepEqual(result.reads, [1]);
      });

      test('that reports one page too many loses its bytes, and the read of them is named', async () => {
        const steps = [write('private', AT, 0x77, 1), call(0), read('private', AT)];
        const result = await run(steps, [share(AT - PAGE, 2 * PAGE)], options);
        assert.deepEqual(result.reads, [0]);
        assert.partialDeepStrictEqual(result.lies[0], {
          kind: 'consumed-discarded',
          gpa: AT,
          bytes: 1,
          view: 'private',
        });
      });

      test('exchanges locked through a view that was not mapped', async () => {
        const exchange: GuestStep = { do: 'exchange', view: 'shared', gpa: AT + 8, value: 5 };
        const result = await run([write('private', AT, 1), exchange, exchange], [], options);
        assert.deepEqual(result.reads, [0, 5]);
      });
    });

describe('memory of a shaped guest', { skip: noGuestHere() }, () => {
  test('never doubles: a conversion gives the unused side back', async () => {
    const bytes = 4 * MiB;
    const steps = [
      fill('private', AT, bytes, 1),
      call(1),
      call(0),
      call(1),
      fill('shared', AT, bytes, 2),
      call(1),
      call(2),
      call(1),
    ];
    const actions: HostAction[] = [
      share(AT, bytes),
      { do: 'figures' },
      { do: 'convert', gpa: AT, size: bytes, to: 'private' },
    ];
    const { figures, outcomes } = await run(steps, actions);
    const [touched, converted, refilled, back] = figures;
    assert.ok(touched !== undefined && converted !== undefined && refilled !== undefined && back !== undefined);
    assert.ok(touched.private >= bytes && touched.shared === 0);
    assert.equal(touched.private - converted.private, bytes);
    assert.equal(refilled.shared, bytes);
    assert.equal(back.shared, 0);
    assert.equal(refilled.resident, touched.resident);
    assert.deepEqual(
      outcomes.map(({ changed, discarded }) => ({ changed, discarded })),
      [
        { changed: bytes, discarded: bytes },
        { changed: bytes, discarded: bytes },
      ],
    );
  });

  // Ring 0 of a software-paging KVM has no vector instructions.
  test('takes a write of sixteen bytes, which comes as two exits, whole', async () => {
    const { reads } = await run([write('shared', AT, 0x99, 16), read('shared', AT), read('shared', AT + 8)]);
    assert.deepEqual(reads, [0x99, 0x99]);
  });

  test('a trapped page is given up where the guest must execute it, and the guest runs on', async () => {
    const ret = 0xc3;
    const steps: GuestStep[] = [
      write('private', AT, ret, 1),
      write('shared', AT + 64, 1),
      { do: 'execute', view: 'private', gpa: AT },
      read('shared', AT + 64),
    ];
    const { relaxed, reads } = await run(steps);
    assert.equal(relaxed, 1);
    assert.deepEqual(reads, [1]);
  });

  test('a repeated conversion changes nothing and makes no slot', async () => {
    const { outcomes, memslots } = await run([call(0), call(0), call(0)], [share(AT, 2 * MiB)]);
    assert.deepEqual(outcomes[1], { changed: 0, discarded: 0, lost: 0 });
    assert.ok(memslots < 20, `${memslots} slots`);
  });
});

describe('a shaped guest whose memory is memslots', { skip: noGuestHere() }, () => {
  const steps = [write('private', AT, 0x11), read('shared', AT), call(0)];

  test('has one frame behind both views, and no exit at either', async () => {
    const { reads, mmioExits, figures } = await run(steps, [{ do: 'figures' }], { type: 'sev' });
    assert.deepEqual(reads, [0x11]);
    assert.equal(mmioExits, 0);
    assert.ok(figures[0] !== undefined && figures[0].resident <= 8 * MiB, 'nothing doubles');
  });

  test('is pinned where it touches, also by its own faults inside KVM', { skip: noUserFaults() }, async () => {
    const { reads, figures, pinnedGranules } = await run(steps, [{ do: 'figures' }], { type: 'sev-deferred' });
    assert.deepEqual(reads, [0x11]);
    // Page tables and code in the first 2 MiB, the page at 4 MiB.
    assert.equal(pinnedGranules, 2);
    assert.equal(figures[0]?.pinned, 4 * MiB);
  });
});
