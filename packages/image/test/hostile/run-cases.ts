/**
 * Runs cases of one format in this process, telling which it is at on descriptor 1: `node run-cases.ts FORMAT SEED FROM
 * COUNT FILES…`, the files being the format's seeds. Its parent holds it to its limits; Node's permissions, to its files.
 */
import { readFileSync, writeSync } from 'node:fs';
import { FormatError } from '../../src/format-error.ts';
import { memorySource } from '../../src/source/memory-source.ts';
import { Draft } from './draft.ts';
import { FORMATS } from './formats.ts';
import { MISBEHAVING } from './misbehaving.ts';
import { Random } from './random.ts';
import { nameless } from './read-everything.ts';

const [name = '', seed = '', from = '0', cases = '0', ...files] = process.argv.slice(2);
const format = [...FORMATS, ...MISBEHAVING].find((each) => each.name === name);
if (format === undefined) throw new Error(`no format ${name}`);

const outcomes = new Map<string, number>();
const count = (outcome: string): unknown => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);

const drafts = files.map((file) => new Draft(readFileSync(file)));
const last = Number(from) + Number(cases);
for (let index = Number(from); index < last; index++) {
  writeSync(1, `${index}\n`);
  const random = new Random(name, seed, index);
  const draft = random.pick(drafts);
  format.change(draft, random);
  try {
    for (const outcome of await format.read(memorySource('hostile', draft.bytes))) count(outcome);
  } catch (error) {
    // Anything else is a defect, and ends the run with its own stack.
    if (!(error instanceof FormatError)) throw error;
    count(`${error.kind}: ${nameless(error.what)}`);
  }
  draft.restore();
}
const report = { peakBytes: process.resourceUsage().maxRSS * 1024, outcomes: Object.fromEntries(outcomes) };
writeSync(1, `report ${JSON.stringify(report)}\n`);
