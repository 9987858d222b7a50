import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asm64 } from '../../conformance/guests/asm64.ts';
import { program } from '../../conformance/guests/bytes.ts';
import { longModeGuest } from '../../conformance/guests/long-mode.ts';
import { MiB, residentSet } from '../software-memory/helpers/host.ts';
import { softwareContext } from './helpers/software-context.ts';

const BUFFER = 64 * MiB;
const BYTES = 128 * MiB;
/** Of it: what the process must at least grow or shrink by. */
const MOST = 96 * MiB;

test('a VM that ends gives its memory back to the operating system, while its KVM stays open', () => {
  using context = softwareContext();
  const { ctx, kvm } = context;
  const memory = kvm.allocate(BYTES);
  const before = residentSet();
  // One word a page.
  const code = program(
    asm64.movRdi(BUFFER),
    asm64.movRcx(BYTES / 4096),
    [0x48, 0x89, 0x3f, 0x48, 0x81, 0xc7, 0, 0x10, 0, 0, 0xff, 0xc9, 0x75, 0xf2],
    asm64.hlt,
  );
  const { vm, vcpu } = longModeGuest(ctx, code);
  vm.setUserMemoryRegion({ slot: 1, flags: 0, gpa: BUFFER, size: BYTES, hva: memory.hva });
  assert.ok(residentSet() - before < MiB * 64, 'nothing is taken before the guest touches it');
  ctx.runTo(vcpu, 'hlt');
  const running = residentSet();
  assert.ok(running - before > MOST, `a running guest took ${(running - before) / MiB} MiB`);
  vcpu.close();
  vm.close();
  memory.close();
  const after = residentSet();
  assert.ok(running - after > MOST, `its end gave ${(running - after) / MiB} MiB back`);
});
