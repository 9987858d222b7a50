import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type StartTrace, TRACE_KINDS, type TraceEvent, type TracePage, vmmRoutes } from '@unpin/contract';
import { type Client, createClient } from '@unpin/contract/client';
import { EXIT_PORT } from '../../probe/layout.ts';
import { queryCapabilities, startVmm } from '../../src/index.ts';
import { probeOrder } from '../helpers/orders.ts';
import { symbolKernel } from '../helpers/symbol-kernel.ts';
import { noKvm, temporaryDir } from '../helpers/vmm-process.ts';

type Vmm = Client<typeof vmmRoutes>;

/** A guest that prints, then makes exits until it is ended. */
const ENDLESS = probeOrder('standard', 'hardware', 'honest', {
  boot: { kind: 'probe', flavour: 'honest', exits: 2 ** 31 },
});
const ALL: StartTrace['kinds'] = [...TRACE_KINDS];

/** One of the exits that the guest makes without end. */
const isCounted = (event: TraceEvent) => event.kind === 'exit' && event.port === EXIT_PORT;

async function start(
  t: TestContext,
  order: object,
): Promise<{ vmm: Awaited<ReturnType<typeof startVmm>>; client: Vmm }> {
  const vmm = await startVmm({ order: { ...ENDLESS, ...order }, dir: temporaryDir(t) });
  t.after(() => vmm.kill());
  return { vmm, client: createClient(vmmRoutes, { socketPath: vmm.apiSocket }) };
}

/** Reads until a page satisfies, or the trace is over; answers everything that came. */
async function read(client: Vmm, trace: string, from: number, enough: (page: TracePage) => boolean = () => false) {
  const events: TraceEvent[] = [];
  let since = from;
  let lost = 0;
  for (;;) {
    const page = await client.readTrace({ params: { trace }, query: { since, waitMs: 500 } });
    events.push(...page.events);
    lost += page.lost;
    since = page.next;
    if (page.over !== undefined || enough(page)) return { events, lost, page };
  }
}

describe('a trace of a running VM', { skip: noKvm() }, () => {
  test('from the first instruction on has every exit that the figures count, and the conversions', async (t) => {
    const { types } = await queryCapabilities();
    const way = types.find(({ type }) => type === 'sev-upm')?.ways.find(({ execution }) => execution === 'shaped');
    if (way === undefined) return t.skip('this KVM does not run sev-upm');
    const order = probeOrder('sev-upm', 'shaped', 'honest', { trace: { kinds: ALL } });
    const { vmm, client } = await start(t, order);
    const { events, lost, page } = await read(client, 'launch', 0);
    const { report } = await vmm.ended;
    assert.equal(report.ending?.detail, 'the probe found 0 wrong');
    assert.equal(page.over, 'vm-ended');
    assert.equal(lost, 0);
    const exits = events.filter((event) => event.kind === 'exit');
    const counted = Object.fromEntries(Object.entries(page.totals.exits).map(([reason, { count }]) => [reason, count]));
    assert.deepEqual(counted, report.figures.exits);
    for (const [reason, count] of Object.entries(report.figures.exits))
      assert.equal(exits.filter((exit) => exit.reason === reason).length, count, reason);
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, seq) => seq),
    );
    const conversions = events.filter((event) => event.kind === 'conversion');
    assert.deepEqual(
      conversions.map(({ to, ret }) => [to, ret]),
      [
        ['shared', 0],
        ['private', 0],
      ],
    );
    const list = (await client.listConversions({ query: {} }).catch(() => undefined))?.conversions;
    assert.ok(list === undefined || list.length === conversions.length);
    for (const { rip } of conversions) assert.match(rip, /^0x10[0-9a-f]{4}$/);
    // A conversion stands behind the exit that asked for it.
    const before = events[(conversions[0]?.seq ?? 0) - 1];
    assert.equal(before?.kind, 'exit');
    assert.ok(page.totals.ns > 0);
  });

  test('ends when it is told to and leaves the VM running, and nothing is recorded any more', async (t) => {
    const { client } = await start(t, {});
    const { trace, since } = await client.startTrace({ body: { kinds: ['exits'] } });
    const { events } = await read(client, trace, since, (page) => page.events.some(isCounted));
    const exit = events.find(isCounted);
    assert.deepEqual(exit?.kind === 'exit' && [exit.reason, exit.bytes, exit.direction], ['io', 1, 'out']);
    await client.endTrace({ params: { trace }, query: { since } });
    const ended = await read(client, trace, since);
    assert.equal(ended.page.over, 'told');
    const before = (await client.getVm({})).figures.exits['io'] ?? 0;
    let now = before;
    while (now < before + 100) now = (await client.getVm({})).figures.exits['io'] ?? 0;
    const again = await client.startTrace({ body: { kinds: ['exits'] } });
    // At most the exit that was under way when it ended.
    assert.ok(again.since - ended.page.next <= 1, `${again.since - ended.page.next} events that nobody asked for`);
    assert.equal((await client.getVm({})).state, 'running');
  });

  test('shows where the guest is, by name, also when it makes no exits', async (t) => {
    const path = join(temporaryDir(t), 'vmlinux');
    // A few instructions, then `jmp $`.
    writeFileSync(path, symbolKernel(Uint8Array.of(0x90, 0x90, 0xeb, 0xfe)));
    const { client } = await start(t, { boot: { kind: 'linux', kernel: { path } } });
    const { trace, since } = await client.startTrace({ body: { kinds: ['samples'], everyMs: 2, durationMs: 1000 } });
    const { events, page } = await read(client, trace, since);
    assert.equal(page.over, 'time');
    assert.ok(events.length >= 5, `${events.length} samples`);
    for (const event of events) {
      assert.equal(event.kind, 'sample');
      assert.deepEqual(event.kind === 'sample' && [event.symbol, event.cpl, event.halted], [
        'function_0+0x2',
        0,
        false,
      ]);
    }
    assert.equal((await client.getVm({})).state, 'running');
  });

  test('ends when its client goes away while it waits for an event', async (t) => {
    const { client } = await start(t, {});
    const { trace, since } = await client.startTrace({ body: { kinds: ['conversions'] } });
    const gone = new AbortController();
    const call = client.readTrace({ params: { trace }, query: { since, waitMs: 1000 } }, { signal: gone.signal });
    setTimeout(() => gone.abort(), 100);
    await assert.rejects(call);
    let over: TracePage['over'];
    while (over === undefined) ({ over } = await client.readTrace({ params: { trace }, query: { since } }));
    assert.equal(over, 'unread');
  });

  test('is refused where nobody started it, or what it asks for is nothing', async (t) => {
    const { client } = await start(t, {});
    const query = { since: 0 };
    await assert.rejects(client.readTrace({ params: { trace: 'none' }, query }), { code: 'NOT_FOUND' });
    await assert.rejects(client.endTrace({ params: { trace: 'none' }, query }), { code: 'NOT_FOUND' });
    await assert.rejects(client.startTrace({ body: { kinds: [] } }), { code: 'REQUEST_INVALID' });
  });
});
