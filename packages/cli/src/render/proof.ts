import { styleText } from 'node:util';
import { type Divergence, endText, type Loss, type Place, type Proof } from '@unpin/vmm';
import { bytes } from './units.ts';

const count = (value: number): string => value.toLocaleString('en');
const row = (name: string, text: string): string => `  ${styleText('dim', name.padEnd(12))}${text}`;

/** A proof for people: what came of it, then what was run and compared. */
export function proofText(proof: Proof): string {
  const { divergence } = proof;
  return [head(proof), ...(divergence === undefined ? [] : divergenceRows(divergence)), ...courseRows(proof)].join(
    '\n',
  );
}

function head({ outcome, why, divergence }: Proof): string {
  switch (outcome) {
    case 'same':
      return `${styleText('green', 'no divergence')}  as sev and as sev-upm it did the same`;
    case 'diverged':
      return `${styleText('red', 'diverged')}  ${divergence === undefined ? '' : placeText(divergence.at)}`;
    case 'unknown':
      return `${styleText('yellow', 'cannot tell')}  ${why ?? ''}`;
  }
}

function courseRows(proof: Proof): readonly string[] {
  const { instructions, windows, end, guestSeconds, seconds, conversions, convertedBytes } = proof;
  const to = end === undefined ? '' : `, to ${endText(end)}`;
  const clock = `${guestSeconds.toFixed(2)} s by the guest's clock, ${seconds.toFixed(1)} s by ours`;
  const judged = `${count(proof.wrongViewAccesses)} uses of another view than reported, ${count(proof.lies)} lies`;
  return [
    row('ran', `${count(instructions)} instructions as each type, compared ${count(windows)} times${to}; ${clock}`),
    row('reported', `${count(conversions)} conversions of ${bytes(convertedBytes)}`),
    row('judged', judged),
    ...proof.firstLies.map(({ kind, gpa, symbol, rip, hostUse, onHardware }) => {
      const what = hostUse === undefined ? kind : `${kind} (${hostUse})`;
      return row('', `${what} of GPA ${hex(gpa)} at ${symbol ?? rip}: ${onHardware}`);
    }),
    row('last line', proof.lastLine),
    row('digest', `${proof.digest}  (seed ${proof.seed})`),
  ];
}

function divergenceRows({ at, registers, loss, lie }: Divergence): readonly string[] {
  const differing = registers.map(({ name, sev, upm }) => `${name} ${short(sev)} / ${short(upm)}`).join(', ');
  const asked = loss === undefined ? lie?.hostUse : undefined;
  return [
    ...(loss === undefined ? [] : lossRows(loss, at)),
    ...(asked === undefined || lie === undefined
      ? []
      : [row('lost', `GPA ${hex(lie.gpa)}, which the host was asked to use (${asked}) at ${lie.symbol ?? lie.rip}`)]),
    ...(registers.length === 0 ? [] : [row('sev / upm', differing)]),
    ...(lie === undefined ? [] : [row('on hardware', lie.onHardware)]),
  ];
}

function lossRows({ bytes: lost, origin }: Loss, at: Place): readonly string[] {
  const { gpa, length, view, attribute, sev, upm, otherSide, report } = lost;
  const reported =
    report === undefined
      ? 'nobody ever reported it'
      : `last reported ${report.to}, ${bytes(report.bytes)} from GPA ${hex(report.gpa)}, at ${nameOf(report.by)}`;
  const page = `${view === attribute ? 'and' : 'but'} the page is ${attribute}`;
  const values = `${sev} as sev, ${upm ?? 'garbage'} as sev-upm`;
  return [
    row(length === 1 ? 'lost byte' : 'lost bytes', `GPA ${hex(gpa)}${length === 1 ? '' : `, ${length} B`}: ${values}`),
    row('', `read through the ${view} view, ${page}: ${reported}`),
    ...(otherSide === undefined || otherSide === upm ? [] : [row('', `its other side holds ${otherSide}`)]),
    ...originRows(origin, at),
  ];
}

function originRows({ kind, at: where, from }: Loss['origin'], at: Place): readonly string[] {
  const place = where === undefined ? '' : ` at ${nameOf(where)}, ${count(at.after - where.after)} instructions before`;
  const text = where?.text ?? 'an instruction';
  switch (kind) {
    case 'host-write':
      return [row('written by', `the host, for ${text}${place}: into the shared side`)];
    case 'conversion':
      return [row('given up by', `the report${place}`)];
    case 'guest-write':
      return [row('written by', `${text}${place}`)];
    case 'passed-on':
      return [row('passed on by', `${text}${place}`), ...(from === undefined ? [] : lossRows(from, where ?? at))];
    case 'undefined':
      return [row('', `nobody wrote it${where === undefined ? '' : ` since the report${place}`}: left to chance`)];
    case 'unexplained':
      return [row('', `how they came to differ${place} is not explained`)];
  }
}

function placeText(at: Place): string {
  return `after ${count(at.after)} instructions, at ${nameOf(at)}: ${at.text ?? 'an instruction that cannot be read'}`;
}

function nameOf({ rip, symbol }: Place): string {
  return symbol === undefined ? rip : `${rip} (${symbol})`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

function short(value: string): string {
  return value.replace(/^0x0+(?=.)/, '0x');
}
