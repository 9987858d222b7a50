/**
 * Configurations of GRUB, written for the set in the manner of each distribution: the same commands and variables as
 * what its tools write, the words our own.
 */
import { FAT_UUID, UUIDS } from './ids.ts';
import type { Kernel } from './kernels.ts';
import { fallbackProgram, grubProgram, shimProgram } from './pe.ts';
import type { Tree } from './tree.ts';

export interface GrubOptions {
  /** The filesystem in which kernels and configuration are. */
  readonly bootUuid?: string;
  /** `/boot` where the root filesystem has it, empty where it is a partition of its own. */
  readonly bootPath?: '/boot' | '';
  /** What `set default` says. */
  readonly default?: string;
  /** Words that each entry ends with. */
  readonly words?: string;
  /** The environment block has a say in it: GRUB_DEFAULT=saved. */
  readonly saved?: boolean;
}

/** The block of 1024 bytes that GRUB keeps its variables in. */
export function environmentBlock(variables: Readonly<Record<string, string>>): string {
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
  return `# GRUB Environment Block\n${lines.join('')}`.padEnd(1024, '#');
}

function header({ default: chosen = '0', saved = false }: GrubOptions): string {
  return `# Written by a tool: changes are lost.

if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
if [ "\${next_entry}" ] ; then
   set default="\${next_entry}"
   set next_entry=
   save_env next_entry
   set boot_once=true
else
   set default="${saved ? '${saved_entry}' : chosen}"
fi

if [ x"\${feature_menuentry_id}" = xy ]; then
  menuentry_id_option="--id"
else
  menuentry_id_option=""
fi
export menuentry_id_option

if [ "\${prev_saved_entry}" ]; then
  set saved_entry="\${prev_saved_entry}"
  save_env saved_entry
  set prev_saved_entry=
  save_env prev_saved_entry
  set boot_once=true
fi

function savedefault {
  if [ -z "\${boot_once}" ]; then
    saved_entry="\${chosen}"
    save_env saved_entry
  fi
}
function load_video {
  insmod all_video
}

if loadfont unicode ; then
  set gfxmode=auto
  load_video
  insmod gfxterm
fi
terminal_output gfxterm
if [ "\${recordfail}" = 1 ] ; then
  set timeout=30
else
  set timeout=5
fi
`;
}

function search(uuid: string, variable = 'root'): string {
  return `if [ x$feature_platform_search_hint = xy ]; then
    search --no-floppy --fs-uuid --set=${variable} --hint-efi=hd0,gpt2 --hint-bios=hd0,gpt2 ${uuid}
  else
    search --no-floppy --fs-uuid --set=${variable} ${uuid}
  fi`;
}

function entry(title: string, id: string, kernel: Kernel, options: GrubOptions, more = ''): string {
  const { bootUuid = UUIDS.root, bootPath = '/boot', words = '' } = options;
  const line = `root=UUID=${UUIDS.root} ro ${more}console=tty0 console=ttyS0,115200 ${words}`.trimEnd();
  return `menuentry '${title}' --class debian --class gnu-linux --class os $menuentry_id_option '${id}' {
  load_video
  insmod gzio
  if [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi
  insmod part_gpt
  insmod ext2
  ${search(bootUuid)}
  echo	'Loading Linux ${kernel.release} ...'
  linux	${bootPath}/vmlinuz-${kernel.release} ${line}
  initrd	${bootPath}/initrd.img-${kernel.release}
}
`;
}

/** `/boot/grub/grub.cfg` as Debian has it: the first kernel at the top, all of them in a menu of their own. */
export function debianGrub(system: string, kernels: readonly Kernel[], options: GrubOptions = {}): string {
  const [first] = kernels;
  if (first === undefined) throw new Error('a menu needs a kernel');
  const inner = kernels.map((each) => {
    const base = `${system}, with Linux ${each.release}`;
    return (
      entry(base, `gnulinux-${each.release}-advanced-${UUIDS.root}`, each, options) +
      entry(`${base} (recovery mode)`, `gnulinux-${each.release}-recovery-${UUIDS.root}`, each, options, 'single ')
    );
  });
  return `${header(options)}
set menu_color_normal=cyan/blue
${entry(system, `gnulinux-simple-${UUIDS.root}`, first, options)}
submenu 'Advanced options for ${system}' $menuentry_id_option 'gnulinux-advanced-${UUIDS.root}' {
${inner.join('')}}
menuentry 'UEFI Firmware Settings' $menuentry_id_option 'uefi-firmware' {
  fwsetup
}
if [ -f  \${config_directory}/custom.cfg ]; then
  source \${config_directory}/custom.cfg
elif [ -z "\${config_directory}" -a -f  $prefix/custom.cfg ]; then
  source $prefix/custom.cfg
fi
`;
}

/** The identifier of the entry of a kernel in Debian's second menu, as `GRUB_DEFAULT` names it. */
export function advancedEntry(kernel: Kernel): string {
  return `gnulinux-advanced-${UUIDS.root}>gnulinux-${kernel.release}-advanced-${UUIDS.root}`;
}

/** `grub.cfg` of Fedora and RHEL: what boots is in files of its own. */
export function redHatGrub(options: GrubOptions = {}): string {
  const { bootUuid = UUIDS.boot } = options;
  return `${header({ saved: true })}
insmod increment
${search(bootUuid)}
insmod part_gpt
${search(bootUuid, 'boot')}
if [ -z "\${kernelopts}" ]; then
  set kernelopts="root=UUID=${UUIDS.root} ro "
fi

insmod blscfg
blscfg
if [ "\${boot_success}" = "1" -o "\${boot_indeterminate}" = "1" ]; then
  set menu_hide_ok=1
else
  set menu_hide_ok=0
fi
`;
}

/** What the ESP's own grub.cfg says: where the real one is. */
export function espGrub(uuid: string, prefix: string): string {
  return `search.fs_uuid ${uuid} root\nset prefix=($root)'${prefix}'\nconfigfile $prefix/grub.cfg\n`;
}

/** What a distribution puts on the ESP for GRUB behind shim. */
export function espOfGrub(vendor: string, config: string): Tree {
  return {
    'EFI/BOOT/BOOTX64.EFI': shimProgram(),
    'EFI/BOOT/fbx64.efi': fallbackProgram(),
    // As it is read by firmware's programs: UTF-16 with a mark of its order.
    [`EFI/${vendor}/BOOTX64.CSV`]: Buffer.from(
      `\ufeffshimx64.efi,${vendor},,This is the boot entry for ${vendor}\n`,
      'utf16le',
    ),
    [`EFI/${vendor}/shimx64.efi`]: shimProgram(),
    [`EFI/${vendor}/grubx64.efi`]: grubProgram(`/EFI/${vendor}`),
    [`EFI/${vendor}/grub.cfg`]: config,
  };
}

/** As many modules beside grub.cfg as GRUB brings: a folder of more than one block. */
export function grubModules(platform: 'i386-pc' | 'x86_64-efi', folder = 'boot/grub'): Tree {
  const names = Array.from({ length: 270 }, (_, index) => `${folder}/${platform}/module_${index * 7919}.mod`);
  return Object.fromEntries(names.map((name) => [name, `a module of GRUB, ${name}\n`]));
}

export const ESP_MOUNT = `UUID=${FAT_UUID}  /boot/efi  vfat  umask=0077  0  1\n`;
