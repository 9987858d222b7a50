/** GRUB's script language. What is accepted and what each script ends in are GRUB 2.06's own answers. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { BootDisk } from '../../src/boot-set/boot-disk.ts';
import { readEnvBlock } from '../../src/boot-set/grub/env-block.ts';
import { runScript } from '../../src/boot-set/grub/interpreter.ts';
import { Machine } from '../../src/boot-set/grub/machine.ts';
import { Oracle } from '../../src/boot-set/grub/oracle.ts';
import { parseScript } from '../../src/boot-set/grub/parse.ts';
import { type Files, plenty, volume } from './memory-volume.ts';

const ACCEPTED = [
  'if true; then echo; fi',
  'if true\nthen echo\nfi',
  'menuentry x { echo; }',
  'menuentry x { echo }',
  'menuentry x {\necho\n\n}',
  'menuentry b { if true; then echo; fi }',
  'submenu a {\nmenuentry b {\necho\n}\n}',
  'function f { echo; }; f',
  'for i in a b\ndo\necho\ndone',
  'for i in; do echo; done',
  'while true; do echo; done',
  'until false; do echo; done',
  'echo in if then',
  'a=b c=d',
  'echo a#b # comment',
  'echo $1 $@ $# $? ${a}',
  'echo "a\nb" \'c\nd\'',
  'echo $"translated"',
  'x { a }',
  'time',
];

const REFUSED = [
  'if true; then fi',
  'if true; then echo; else fi',
  'if true; then ; echo; fi',
  'menuentry x {\n}',
  'function f { }',
  'if true; then function g { echo; }; fi',
  'function if { echo; }',
  'for in in a; do echo; done',
  'while true; do done',
  'echo;;echo',
  ';',
  'then',
  'select',
  'echo |',
  'echo a & echo b',
  'echo $',
  'echo "$"',
  'echo ${a-b}',
  'echo "a',
  "echo 'a",
  'fi',
  'if true; then echo; fi echo',
  '{ echo; }',
];

/** Script → what `r` is at its end. */
const ENDS: readonly (readonly [script: string, r: string])[] = [
  ['if [ ]; then r=yes; else r=no; fi', 'yes'],
  ['if [ $nope ]; then r=yes; else r=no; fi', 'yes'],
  ['if [ "" ]; then r=yes; else r=no; fi', 'no'],
  ['if [ "$nope" = "" ]; then r=yes; fi', 'yes'],
  ['if [ a -a "" ]; then r=yes; else r=no; fi', 'no'],
  ['if [ "" -o a ]; then r=yes; else r=no; fi', 'yes'],
  ['if [ ! -e /none -a -f /boot/f ]; then r=yes; fi', 'yes'],
  ['if [ -s /boot/e ]; then r=yes; else r=no; fi', 'no'],
  ['if [ -d /boot ]; then r=yes; fi', 'yes'],
  ['if [ 010 -eq 8 ]; then r=yes; fi', 'yes'],
  ['if [ 2 -lt 10 ]; then r=yes; fi', 'yes'],
  ['if ! false; then r=yes; fi', 'yes'],
  ['x="a b"; for i in $x; do r=$r[$i]; done', '[a][b]'],
  ['x="a b"; for i in "$x"; do r="$r[$i]"; done', '[a b]'],
  ['x="a b"; for i in p${x}q; do r="$r[$i]"; done', '[pa][bq]'],
  ['for i in "" a; do r="$r[$i]"; done', '[][a]'],
  ['r=a\\ b', 'a b'],
  ['r="a\\$b"', 'a$b'],
  ['r="a\\b"', 'a\\b'],
  ['r="a\\"b"', 'a"b'],
  ['r="a\\\nb"', 'ab'],
  ['r="a"\'b\'"c"d', 'abcd'],
  ['for i in 1 2 3; do if [ $i = 2 ]; then continue; fi; r=$r$i; done', '13'],
  ['for i in 1 2; do for j in a b c; do if [ $j = b ]; then break 2; fi; r=$r$i$j; done; done', '1a'],
  ['i=; until [ x$i = xaaa ]; do i=a$i; r=$r$i; done', 'aaaaaa'],
  ['if false; then r=1; elif true; then r=2; else r=3; fi', '2'],
  ['function f { r=$1-$2-$#; }; f a b', 'a-b-2'],
  ['function f { shift; r=$1$#; }; f 1 2 3', '22'],
  ['function f { for i in "$@"; do r="$r[$i]"; done; }; f "a b" c', '[a b][c]'],
  ['function f { break; r=after; }; f', 'after'],
  ['function f { for i in 1 2; do return 1; done; r=no; }; f', ''],
  ['false; r=$?', '1'],
  ['r=$#', ''],
  ['return 3; r=on', 'on'],
  ['eval "set r=1; set r=\\${r}2"', '12'],
  ['source /boot/src.cfg; r=$r$?', 'sourced0'],
  ['source /none; r=$?', '0'],
  ['load_env -f /boot/env; r="$one"', 'val=ue x'],
  ['load_env -f /boot/env two; r="[$one][$two]"', '[][2]'],
  ['for i in /boot/g*; do r=$r$i; done', '/boot/g1/boot/g2'],
  ['x="/boot/g*"; for i in $x; do r=$r$i; done', '/boot/g1/boot/g2'],
  ['for i in "/boot/g*"; do r=$r$i; done', '/boot/g*'],
  ['x="set r=by-variable"; $x', 'by-variable'],
  ['search.file /boot/f x; r=$x', 'hd0'],
  ['search --no-floppy --fs-uuid --set=x AbCd; r=$x', 'hd0'],
  ['search --label --set x root; r=$x', 'hd0'],
  ['search --fs-uuid --set abcd; r=$root', 'hd0'],
];

const FILES: Files = {
  'boot/f': 'content',
  'boot/e': '',
  'boot/g1': '',
  'boot/g2': '',
  'boot/src.cfg': 'r=sourced\nfalse\n',
  'boot/env': '# GRUB Environment Block\none=val=ue x\ntwo=2\n'.padEnd(1024, '#'),
};

/** @param spent of the statements that it may run: at the limit it is soon */
function machine(script: readonly number[] = [], spent = 0): Machine {
  const made = new Machine({
    disk: new BootDisk([volume({ files: FILES, uuid: 'abcd', label: 'root' })], plenty()),
    platform: 'bios',
    oracle: new Oracle(script),
    host: { configure: async () => undefined, chain: async () => undefined },
    spent: { statements: spent },
    read: [],
    parsed: new Map(),
    memdisk: undefined,
  });
  made.env.set('root', 'hd0');
  return made;
}

describe('the grammar', () => {
  for (const text of ACCEPTED)
    test(`takes ${JSON.stringify(text)}`, () => assert.deepEqual(parseScript(`${text}\n`).problems, []));
  for (const text of REFUSED)
    test(`refuses ${JSON.stringify(text)}`, () => assert.notDeepEqual(parseScript(`${text}\n`).problems, []));

  test('goes on with the line after what it refuses, and says which it was', () => {
    const { statements, problems } = parseScript('echo a\necho |\necho b\n');
    assert.deepEqual(
      statements.map((statement) => statement.line),
      [1, 3],
    );
    assert.deepEqual(
      problems.map((problem) => problem.line),
      [2],
    );
  });

  test('lines are counted through quotes, continued lines and comments', () => {
    const { statements } = parseScript('echo "a\nb" \'c\nd\'\necho \\\ne\n# f\necho g\n');
    assert.deepEqual(
      statements.map((statement) => statement.line),
      [1, 4, 7],
    );
  });
});

describe('a script', () => {
  for (const [text, r] of ENDS)
    test(`${JSON.stringify(text)} ends in '${r}'`, async () => {
      const run = machine();
      await runScript(run, `${text}\n`);
      assert.equal(run.env.get('r') ?? '', r);
      assert.deepEqual(run.problems, []);
    });

  for (const text of [
    'while true; do true; done',
    'function f { f; }; f',
    'x=aaaaaaaa; for i in 1 2 3 4 5 6 7 8 9 a b c d e f; do x=$x$x; done; echo $x$x$x$x',
    'x="source /boot/loop"; eval "eval eval eval true"; for i in 1 2; do while true; do continue 2; done; done',
  ])
    test(`${JSON.stringify(text)} comes to an end`, async () => {
      const run = machine([], 290_000);
      await runScript(run, `${text}\n`);
      assert.ok(run.flow === undefined || run.problems.length > 0);
    });

  test('a command that is not known is a problem with its line', async () => {
    const run = machine();
    run.file = 'grub.cfg';
    await runScript(run, 'true\nfrobnicate 7\n');
    assert.deepEqual(run.problems, ["grub.cfg:2: the command 'frobnicate' is not understood"]);
  });

  test('a condition that nothing tells is asked once, and goes as answered', async () => {
    const text = 'if loadfont unicode; then r=1; fi; if loadfont unicode; then r=${r}1; else r=2; fi\n';
    const yes = machine([0]);
    await runScript(yes, text);
    assert.equal(yes.env.get('r'), '11');
    assert.equal(yes.shared.oracle.questions.length, 1);
    const no = machine([1]);
    await runScript(no, text);
    assert.equal(no.env.get('r'), '2');
  });
});

/** Scripts of the language's own pieces, whole and broken. */
const piece = fc.constantFrom(
  ...'if |then |else |elif |fi|for |x |in |do |done|while |until |function |menuentry |submenu |{|}|;|\n|; |echo |"a b"|$a|${b}|#|! |[ a ]|a=b|"|\'|\\|true\n|break\n|linux /boot/f a\n|initrd /boot/f\n|boot\n|configfile /boot/src.cfg\n|source /boot/src.cfg\n|blscfg\n|search x\n|chainloader +1\n|return\n|set default=1>2\n|*|shift\n|eval '
    .split('|')
    .map((each) => each.replaceAll('\\n', '\n')),
);
const scripts = fc.oneof(
  fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
  fc.string({ unit: 'binary' }),
);

describe('whatever a configuration says', () => {
  test('it is read', () => {
    fc.assert(
      fc.property(scripts, (text) => parseScript(text).statements.length >= 0),
      { numRuns: 1000 },
    );
  });

  test('it is run to an end', async () => {
    await fc.assert(
      fc.asyncProperty(scripts, fc.array(fc.nat(1)), async (text, answers) => {
        const run = machine(answers);
        await runScript(run, text);
      }),
      { numRuns: 300 },
    );
  });

  test('an environment block is one or none', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        readEnvBlock(text);
        readEnvBlock(`# GRUB Environment Block\n${text}`);
      }),
    );
  });
});
