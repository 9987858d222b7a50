import type { ByteSource } from '../source/byte-source.ts';

/**
 * What decided that an entry is there. `bls`: GRUB, by Boot Loader Specification entries (`blscfg`). `direct`: no
 * loader is involved: the kernel itself was named, or firmware starts it. `none-found`: it lies where kernels lie.
 */
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
  /**
   * A bzImage, an ELF vmlinux, a UKI, or something else that a loader starts (Windows, Xen, memtest, a boot sector):
   * what is inside is for who opens it to find. Entries of one choice have the same object for the same file.
   */
  readonly kernel: BootFile;
  readonly initrds: readonly BootFile[];
  /**
   * As the loader would give it to the kernel, `BOOT_IMAGE=…` of GRUB and syslinux included; undefined where nothing
   * says it (a UKI carries its own), or where a part of it can't be told, which is a doubt then.
   */
  readonly commandLine: string | undefined;
}

/** What a start of this disk would boot. */
export interface BootChoice {
  /**
   * What is offered, in the loader's order; what starts the same is one entry. Empty: nothing bootable was found, and
   * `doubts` say why.
   */
  readonly entries: readonly BootEntry[];
  /**
   * The entry that boots when nobody touches a key, an index of `entries`; undefined where that can't be told: then
   * every entry counts, and the worst decides.
   */
  readonly preferred: number | undefined;
  /** The loader's configuration as far as it was read; part of the boot set's digest. */
  readonly configuration: readonly BootFile[];
  /**
   * What was not understood, or stood in the way, one line each, with file and line where there is one. Where
   * `preferred` is defined none of them bears on it: they are for people.
   */
  readonly doubts: readonly string[];
}
