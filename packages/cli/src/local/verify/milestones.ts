/** How far a boot came, by what its console said; each includes those before it. */
export const STAGES = ['nothing', 'kernel', 'sev-active', 'initialised', 'user-space'] as const;
export type Stage = (typeof STAGES)[number];

/** How the kernel itself ended, where it did. */
export interface KernelEnd {
  /** `no-root`: it found no root filesystem, which is what a boot set without its disk must come to. */
  readonly kind: 'no-root' | 'panic' | 'power-off';
  readonly line: string;
}

export interface Milestones {
  readonly stage: Stage;
  readonly end: KernelEnd | undefined;
  readonly lastLine: string;
}

const REACHED: readonly (readonly [Stage, RegExp])[] = [
  // Whatever /init prints comes after this; what is no kernel message any more is its own.
  [
    'user-space',
    /^(?!\[ *\d+\.\d+\]).*(?:initramfs|\(initramfs\)|busybox|systemd|dracut|login:|Loading, please wait)/im,
  ],
  ['initialised', /Run \/\S+ as init process|Freeing unused kernel image|Unpacking initramfs/],
  ['sev-active', /Memory Encryption Features active:.*\bSEV\b/],
  ['kernel', /Linux version \d/],
];

/** The initrd's own words for a missing root count: the kernel got that far. */
const NO_ROOT =
  /VFS: (?:Unable to mount root fs|Cannot open root device)|Gave up waiting for root|ALERT!.*does not exist|No root device|dracut.*(?:Could not boot|Starting timeout scripts)|No init found|not syncing: No working init found|Requested init .* failed/;
const PANIC = /Kernel panic - not syncing: .*|early exception 0x[0-9a-f]+.*|PANIC: .*/;
const POWER_OFF = /reboot: Power down|System halted/;

/** What a console tells of a boot. Pure. */
export function milestonesOf(console: string): Milestones {
  const text = console.replaceAll('\r', '');
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const said = REACHED.find(([, pattern]) => pattern.test(text))?.[0] ?? 'nothing';
  const end = endOf(lines);
  // It looks for its root when all of its own is done.
  const stage = end?.kind === 'no-root' && !isAtLeast(said, 'initialised') ? 'initialised' : said;
  return { stage, end, lastLine: lines.at(-1)?.trim() ?? '' };
}

function endOf(lines: readonly string[]): KernelEnd | undefined {
  const find = (kind: KernelEnd['kind'], pattern: RegExp): KernelEnd | undefined => {
    const line = lines.find((each) => pattern.test(each));
    return line === undefined ? undefined : { kind, line: line.trim() };
  };
  // A panic for want of a root is told as both: the first is what it is.
  return find('no-root', NO_ROOT) ?? find('panic', PANIC) ?? find('power-off', POWER_OFF);
}

/** Whether a stage is as far as another one. */
export function isAtLeast(stage: Stage, asked: Stage): boolean {
  return STAGES.indexOf(stage) >= STAGES.indexOf(asked);
}
