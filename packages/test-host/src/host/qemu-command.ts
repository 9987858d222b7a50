/** The command line of QEMU for one test host. */
import { join } from 'node:path';
import type { Runtime } from '../debian/runtime.ts';
import { ROOT_TAG } from './guest-scripts.ts';
import { CONTROL_PORT, STDERR_PORT, STDIN_PORT, STDOUT_PORT, TERMINAL } from './ports.ts';

/** A test host as QEMU is to make it. Paths are absolute; MiB of memory, number of CPUs. */
export interface QemuMachine {
  readonly kernel: string;
  readonly initrd: string;
  readonly memoryMiB: number;
  readonly cpus: number;
  /** A private folder: the sockets of the ports are in it already, the console log will be. */
  readonly folder: string;
  /** Shared for writing, beside the read-only root. */
  readonly writable: readonly string[];
  /** The command gets a terminal (hvc0) in place of three ports. */
  readonly terminal: boolean;
}

/** The unpacked QEMU, with its own C library: it runs whatever the machine's is. */
export interface QemuProgram extends Runtime {
  readonly binary: string;
  /** Where BIOS and option ROMs are. */
  readonly firmware: readonly string[];
  /** Where its modules are. */
  readonly modules: string;
}

/** The virtual CPU: SVM and nested paging are what kvm_amd asks for. The rest is what QEMU's emulation can do. */
const CPU = 'EPYC-Milan,+svm,+npt';

/**
 * Kernel command line. `panic=-1` with QEMU's `-no-reboot`: a kernel that dies ends QEMU at once. `nokaslr`: the same
 * addresses each time. `mitigations=off`: an emulated CPU speculates nothing, and their work is a fifth of the boot.
 */
const KERNEL_ARGUMENTS = 'console=ttyS0 panic=-1 nokaslr quiet mitigations=off random.trust_cpu=on no_timer_check';

/** Socket of a port in the host's private folder. */
export function socketPath(folder: string, port: string): string {
  return join(folder, port.slice(port.indexOf('.') + 1));
}

/** The variables that QEMU needs beside its arguments. */
export function qemuEnvironment(program: QemuProgram): Record<string, string> {
  return { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', QEMU_MODULE_DIR: program.modules };
}

/** Program and arguments. */
export function qemuCommand(program: QemuProgram, machine: QemuMachine): string[] {
  const ports = machine.terminal ? [CONTROL_PORT] : [CONTROL_PORT, STDIN_PORT, STDOUT_PORT, STDERR_PORT];
  const options = [
    '-no-user-config -nodefaults -no-reboot',
    '-display none -monitor none -nic none',
    '-machine pc,usb=off,vmport=off -accel tcg,thread=multi',
    `-cpu ${CPU} -smp ${machine.cpus} -m ${machine.memoryMiB}M`,
    '-device virtio-serial-pci,max_ports=8',
  ].flatMap((line) => line.split(' '));
  return [
    program.loader,
    '--library-path',
    program.libraries.join(':'),
    program.binary,
    ...program.firmware.flatMap((folder) => ['-L', folder]),
    ...options,
    ...pair('-kernel', machine.kernel),
    ...pair('-initrd', machine.initrd),
    ...pair('-append', KERNEL_ARGUMENTS),
    ...pair('-serial', `file:${join(machine.folder, 'console.log')}`),
    ...ports.flatMap((port) => serialPort(machine.folder, port)),
    ...(machine.terminal ? consoleDevice(machine.folder) : []),
    ...share(ROOT_TAG, '/', true),
    ...machine.writable.flatMap((path, index) => share(`share${index}`, path, false)),
  ];
}

function pair(option: string, value: string): string[] {
  return [option, value];
}

function serialPort(folder: string, port: string): string[] {
  return [...chardev(folder, port), '-device', `virtserialport,chardev=${port},name=${port}`];
}

function consoleDevice(folder: string): string[] {
  return [...chardev(folder, TERMINAL), '-device', `virtconsole,chardev=${TERMINAL}`];
}

function chardev(folder: string, port: string): string[] {
  return ['-chardev', `socket,id=${port},path=${comma(socketPath(folder, port))}`];
}

/** `multidevs=remap`: the root may span filesystems, whose inode numbers would else collide. */
function share(tag: string, path: string, readonly: boolean): string[] {
  const fsdev = `local,id=${tag},path=${comma(path)},security_model=none,multidevs=remap`;
  return [
    '-fsdev',
    readonly ? `${fsdev},readonly=on` : fsdev,
    '-device',
    `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`,
  ];
}

/** In QEMU's option lists a comma in a value is written twice. */
function comma(path: string): string {
  return path.replaceAll(',', ',,');
}
