import type { ByteSource } from '../source/byte-source.ts';

/** What decided that an entry is there. `direct`: the kernel itself was named, no loader is involved. */
export type LoaderKind = 'grub' | 'bls' | 'systemd-boot' | 'uki' | 'extlinux' | 'none-found' | 'direct';

/** A file that takes part in a start. */
export interface BootFile {
  /** For people and evidence: `partition 1 (ext4) /boot/vmlinuz-6.12.48+deb13-amd64`. */
  readonly name: string;
  readonly source: ByteSource;
}

/** One start that a loader offers. */
export interface BootEntry {
  /** As its menu shows it, or the kernel's name. */
  readonly title: string;
  readonly loader: LoaderKind;
  /** A bzImage, an ELF vmlinux, or a UKI: what is inside is for who opens it to find. */
  readonly kernel: BootFile;
  readonly initrds: readonly BootFile[];
  /** As the loader would give it to the kernel; undefined where nothing says it (a UKI carries its own). */
  readonly commandLine: string | undefined;
}

/** What a start of this disk would boot. */
export interface BootChoice {
  /** What is offered, in the loader's order. Empty: nothing bootable was found, and `doubts` say why. */
  readonly entries: readonly BootEntry[];
  /**
   * The entry that boots when nobody touches a key, an index of `entries`; undefined where that can't be told: then
   * every entry counts, and the worst decides.
   */
  readonly preferred: number | undefined;
  /** The loader's configuration as far as it was read; part of the boot set's digest. */
  readonly configuration: readonly BootFile[];
  /** What was not understood, or stood in the way, one line each. */
  readonly doubts: readonly string[];
}
