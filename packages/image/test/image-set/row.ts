/** What a row of the set's table says: how an image is made, and what an inspection of it must find. */
import type { DiskSpec } from './disk.ts';
import type { Format } from './formats.ts';
import type { Kernel, KernelId } from './kernels.ts';

export interface Row {
  readonly id: string;
  /** For people: whose images look like this. */
  readonly like: string;
  readonly format: Format;
  /** In the order in which the disk's menu has them. */
  readonly kernels: readonly KernelId[];
  readonly disk: (kernels: readonly Kernel[]) => DiskSpec;
  readonly expect: Expectation;
}

export interface Expectation {
  /** The entry that boots, by its kernel; `all` where that can't be told, `nothing` where nothing could be judged. */
  readonly boots: KernelId | 'all' | 'nothing';
  readonly loader?: 'grub' | 'bls' | 'systemd-boot' | 'uki' | 'extlinux' | 'none-found';
  /** Of the entry that boots. */
  readonly commandLine?: RegExp;
  /** The statement `reports-conversions`. */
  readonly reports: 'yes' | 'no' | 'unknown';
  /** What the inspection must name as having stood in the way; without it, nothing may have. */
  readonly obstacle?: RegExp;
}
