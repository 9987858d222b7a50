/** Boot loader entries in files of their own: BLS as Fedora and RHEL write it, systemd-boot's, and extlinux. */
import { MACHINE_ID, UUIDS } from './ids.ts';
import type { Kernel } from './kernels.ts';
import type { Tree } from './tree.ts';

/** The identifier of a kernel's entry: its file's name without the ending. */
export function blsId(kernel: Kernel): string {
  return `${MACHINE_ID}-${kernel.release}`;
}

/** RHEL 8 kept the options in GRUB's environment block, `kernelopts`; since RHEL 9 they are in the entry. */
export function blsEntries(kernels: readonly Kernel[], options: string, path = ''): Tree {
  const rows = kernels.map((each) => [
    `loader/entries/${blsId(each)}.conf`,
    `title Red Hat Enterprise Linux (${each.release}) 9.4 (Plow)
version ${each.release}
linux ${path}/vmlinuz-${each.release}
initrd ${path}/initramfs-${each.release}.img $tuned_initrd
options ${options}
grub_users $grub_users
grub_arg --unrestricted
grub_class rhel
`,
  ]);
  return Object.fromEntries(rows) as Tree;
}

/** As `kernel-install` fills an ESP: each kernel in a folder by the machine's id, with the entries of its loader. */
export function systemdBoot(
  kernels: readonly Kernel[],
  settings: { readonly default?: string; readonly words?: string } = {},
): Tree {
  const tree: Record<string, string> = {
    'loader/loader.conf': `timeout 3\n#console-mode keep\n${settings.default === undefined ? '' : `default ${settings.default}\n`}`,
    'loader/random-seed': 'seed of the set, no secret',
  };
  for (const { release } of kernels)
    tree[`loader/entries/${MACHINE_ID}-${release}.conf`] = `# Boot Loader Specification type#1 entry
title      Debian GNU/Linux 13 (trixie)
version    ${release}
machine-id ${MACHINE_ID}
sort-key   debian
options    root=UUID=${UUIDS.root} ro ${settings.words ?? 'quiet'}
linux      /${MACHINE_ID}/${release}/linux
initrd     /${MACHINE_ID}/${release}/initrd.img-${release}
`;
  return tree;
}

/** `extlinux.conf` with a label for each kernel; the first is the default unless another is named. */
export function extlinux(kernels: readonly Kernel[], folder: string, chosen = 0): string {
  const labels = kernels.map(
    ({ release }, index) => `label l${index}
	menu label Debian GNU/Linux ${release}
	linux ${folder}/vmlinuz-${release}
	initrd ${folder}/initrd.img-${release}
	append root=UUID=${UUIDS.root} ro console=ttyS0
`,
  );
  return `default l${chosen}
menu title U-Boot menu
prompt 0
timeout 50

${labels.join('\n')}`;
}
