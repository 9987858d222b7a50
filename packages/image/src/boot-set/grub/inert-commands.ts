import { type Command, untold } from './command.ts';
import { UNKNOWN } from './oracle.ts';

/**
 * Commands that change nothing of what is booted (fonts, screens, modules, memory maps), as they are named in
 * command.lst of GRUB 2.02 to 2.12 and in the patches of Debian, Fedora and SUSE. Whether they succeed isn't known,
 * and asked only where a condition depends on it.
 */
const WITHOUT_EFFECT = `
  915resolution acpi all_functional_test authenticate background_color background_image backtrace badram blocklist cat
  cbmemc clear cmosclean cmosdump cmosset cmostest cmp coreboot_boottime cpuid crc cryptomount cutmem date distrust
  drivemap dump efi-export-env efiemu_loadcore efiemu_prepare efiemu_unload efitextmode extract_legacy_entries_source
  fakebios file fix_video functional_test gdbstub gdbstub_break gdbstub_stop gettext gptsync hashsum hdparm hello help
  hexdump hexdump_random inb inl insmod inw key_protector_clear keymap legacy_check_password legacy_password list_env
  list_trusted loadbios loadfont loopback ls lsacpi lsapm lscoreboot lsefi lsefimmap lsefisystab lsfonts lsmmap lsmod
  lspci lssal macppcbless mactelbless md5sum memrw mmap nativedisk net_add_addr net_add_dns net_add_route net_bootp
  net_bootp6 net_del_addr net_del_dns net_del_route net_dhcp net_ipv6_autoconf net_ls_addr net_ls_cards net_ls_dns
  net_ls_routes net_nslookup outb outl outw parttool pcidump play rdmsr rmmod sendkey serial setpci sha1sum sha256sum
  sha512sum sleep terminal_input terminal_output terminfo test_blockarg testload testspeed tpm tpm2_key_protector_clear
  tpm2_key_protector_init trust usb vbeinfo vbetest verify_detached videoinfo videotest write_byte write_dword
  write_word wrmsr xnu_splash zfsinfo zfskey
`;

/** Commands that put what they find into variables: the options and arguments that name them. */
const SETS: Readonly<Record<string, (args: readonly string[]) => readonly string[]>> = {
  hwmatch: () => ['match'],
  read: (args) => args.filter((arg) => !arg.startsWith('-')),
  getenv: setOptions,
  'zfs-bootfs': (args) => args.slice(1),
  // Which of two systems is next, by attributes of their partitions: of ChromeOS's kin, and of CoreOS's.
  gptpriority: (args) => args.slice(2),
  'gptprio.next': (args) => args.filter((_, index) => args[index - 1] === '-d' || args[index - 1] === '-u'),
  net_get_dhcp_option: (args) => args.slice(0, 1),
  'efi-getenv': setOptions,
  regexp: setOptions,
  smbios: setOptions,
  tr: setOptions,
  read_byte: setOptions,
  read_word: setOptions,
  read_dword: setOptions,
  lsattr: setOptions,
};

/** `--set=1:name`, `--set=name`, `--set name`, `-s name`. */
function setOptions(args: readonly string[]): readonly string[] {
  const names: string[] = [];
  for (const [index, arg] of args.entries()) {
    const attached = /^--set=(.*)$/s.exec(arg)?.[1];
    const named = attached ?? (arg === '--set' || arg === '-s' ? args[index + 1] : undefined);
    if (named !== undefined) names.push(named.replace(/^[0-9]+:/, ''));
  }
  return names;
}

const withoutEffect: Command = (_, args, { name }) => untold(name, args);

function sets(namesOf: (args: readonly string[]) => readonly string[]): Command {
  return (machine, args, { name }) => {
    for (const variable of namesOf(args)) machine.env.set(variable, UNKNOWN);
    return untold(name, args);
  };
}

export const INERT: readonly (readonly [string, Command])[] = [
  ...WITHOUT_EFFECT.trim()
    .split(/\s+/)
    .map((name) => [name, withoutEffect] as const),
  ...Object.entries(SETS).map(([name, namesOf]) => [name, sets(namesOf)] as const),
  // Nobody touches a key: no modifier is held.
  ['keystatus', (_, args, { name }) => (args.length > 0 ? false : untold(name, args))],
];
