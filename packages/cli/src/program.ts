import { Command, CommanderError, Option } from 'commander';
import { addAdmissionCommands } from './program-admission.ts';
import { VERSION } from './version.ts';

/** What every command is given beside its own arguments. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly config?: string;
  readonly url?: string;
  readonly stateDir?: string;
}

/**
 * Builds the command tree. Commands load only when they are run, so that `--help` stays fast: nothing here may import
 * more than commander.
 */
function buildProgram(done: (code: number) => void): Command {
  const program = new Command('unpin')
    .description('Confidential VMs without pinned memory: what can run where, why, and the way out of the old way.')
    .version(VERSION)
    .option('--json', 'machine-readable output')
    .option('--config <file>', 'configuration file (default: $XDG_CONFIG_HOME/unpin/config.json)')
    .option('--url <url>', 'control plane to talk to')
    .option('--state-dir <dir>', 'where the database and running VMs live')
    .showHelpAfterError('(run with --help for what there is)')
    .addHelpText(
      'after',
      `
Exit status: 0 yes or done, 1 no (may not), 2 unknown, 64 and above errors (see docs/errors.md).

  unpin doctor                                   what this machine can run, and how
  unpin image inspect /boot/vmlinuz              what a kernel can do, with evidence
  unpin run VMLINUZ --initrd CPIO --type sev-upm a guest on this machine, no server needed
  unpin up                                       the control plane and this machine's agent`,
    );

  /** Wraps a lazily loaded command: its answer is the exit status. */
  const run =
    <A extends unknown[]>(load: () => Promise<(globals: GlobalOptions, ...args: A) => Promise<number>>) =>
    async (...args: [...A, Command]): Promise<void> => {
      const action = await load();
      const command = args.at(-1) as Command;
      done(await action(command.optsWithGlobals<GlobalOptions>(), ...(args.slice(0, -1) as A)));
    };

  program
    .command('up')
    .description('show what this machine can do, then serve: control plane and agent')
    .option('--no-demo', 'skip the measured demonstration')
    .option('--test-host', 'use a test host for the demonstration where this KVM cannot boot Linux')
    .option('--listen <host:port>', 'address of the API (default: 127.0.0.1:7070)')
    .action(run(async () => (await import('./commands/up.ts')).up));

  program
    .command('doctor')
    .description('what this machine can run, how, and why not')
    .option('--test-host', 'ask inside a test host instead')
    .action(run(async () => (await import('./commands/doctor.ts')).doctor));

  program
    .command('vm-types')
    .description('all VM types: what each means, needs, and what can run it')
    .argument('[type]', 'one type, in full')
    .action(run(async () => (await import('./commands/vm-types.ts')).vmTypesCommand));

  const image = program.command('image').description('what guest images can do');
  image
    .command('inspect')
    .description('what kernels and disk images can do, read from the files themselves')
    .argument('<image...>', 'a kernel, a disk image, a folder of them, or an http(s) address')
    .option('--entry <entry>', "judge this boot entry, by title or number, instead of the loader's default")
    .option('--command-line <text>', "the kernel command line that it will get, in place of the loader's")
    .option('--check <type>', 'may it run on this VM type? exit 0 may, 1 may not, 2 unknown; of many the worst')
    .option('--compare-claims <tags>', "compare with an image's tags (GCE, Nova); exit 1 contradicted, 2 not proven")
    .option('--firmware <file>', 'the firmware that it will start with')
    .option('--backing <file>', 'a file that the image may stand on (again for more); nothing else is opened', collect)
    .addOption(
      new Option('--format <format>', 'text, json, or what these take: gce --guest-os-features, nova, kubevirt')
        .choices(['text', 'json', 'gce', 'nova', 'kubevirt'])
        .default('text'),
    )
    .option('--evidence', 'show every piece of evidence')
    .action(run(async () => (await import('./commands/image-inspect.ts')).imageInspect));
  image
    .command('prove')
    .description(
      'run an image as sev and as sev-upm, emulated, and name the first byte that it loses; 0 none, 1 one, 2 unknown',
    )
    .argument('<kernel>', 'a bzImage or an ELF vmlinux')
    .option('--initrd <file>', 'initial RAM disk; best if the guest powers off by itself')
    .option('--append <text>', 'appended to the kernel command line')
    .option('--memory <size>', 'nominal memory of each of the two', '512M')
    .option('--until <text>', 'end once the console has shown this')
    .option('--guest-seconds <seconds>', "end after this time by the guest's own clock (default: 60)", Number)
    .option('--instructions <n>', 'end after so many instructions', Number)
    .option('--seed <n>', 'where keys and random numbers begin: the same seed gives the same run (default: 1)', Number)
    .action(run(async () => (await import('./commands/image-prove.ts')).imageProve));
  image
    .command('verify')
    .description('boot what an image boots as an SEV guest, and compare with what was read; 0 agrees, 1 not, 2 unknown')
    .argument('<image>', 'a kernel or a disk image (its boot set runs, without the disk)')
    .option('--entry <entry>', "this boot entry, by title or number, instead of the loader's default")
    .option('--command-line <text>', "the kernel command line, in place of the loader's")
    .option('--initrd <file>', 'initial RAM disk of a kernel that is given as a file')
    .option('--backing <file>', 'a file that the image may stand on (again for more)', collect)
    .option('--memory <size>', 'nominal memory', '512M')
    .addOption(
      new Option('--kvm <which>', "whose KVM: this machine's (linux), ours (software), or the first that can")
        .choices(['auto', 'linux', 'software'])
        .default('auto'),
    )
    .option('--timeout <seconds>', 'end the guest after this time', Number, 180)
    .action(run(async () => (await import('./commands/image-verify.ts')).imageVerify));
  image
    .command('add')
    .description('add an image to the control plane; an agent inspects it')
    .argument('<name>')
    .option('--kernel <file>', 'kernel file')
    .option('--initrd <file>', 'initial RAM disk of that kernel')
    .option('--disk <file>', "disk image instead: its boot set starts; the disk itself can't be attached yet")
    .option('--entry <entry>', "boot entry of the disk, by title or number, instead of the loader's default")
    .option('--backing <file>', 'a file that the disk image may stand on (again for more)', collect)
    .option('--command-line <text>', "kernel command line; of a disk, in place of the loader's")
    .action(run(async () => (await import('./commands/image-add.ts')).imageAdd));
  image
    .command('list')
    .description('images with their verdicts')
    .action(run(async () => (await import('./commands/image-list.ts')).imageList));
  image
    .command('show')
    .description('one image with its verdict and evidence')
    .argument('<name>')
    .action(run(async () => (await import('./commands/image-show.ts')).imageShow));

  addAdmissionCommands(program, run);

  const vm = program.command('vm').description('virtual machines of the control plane');
  vm.command('create')
    .description('create and start a VM, if its image may run on the type')
    .argument('<name>')
    .requiredOption('--image <name>', 'image')
    .requiredOption('--type <type>', 'VM type (see `unpin vm-types`)')
    .option('--memory <size>', 'nominal memory, e.g. 512M or 64G', '512M')
    .option('--waive <reason>', 'start it although its needs are not met, and answer for it')
    .option('--probation', 'start unpinned; if it never reports, start again pinned')
    .addOption(
      new Option('--execution <how...>', 'how it may be run; only hardware is confidential').choices([
        'hardware',
        'shaped',
        'emulated',
      ]),
    )
    .option('--no-wait', 'do not wait until it runs')
    .action(run(async () => (await import('./commands/vm-create.ts')).vmCreate));
  vm.command('list')
    .description('VMs with their state and memory')
    .action(run(async () => (await import('./commands/vm-list.ts')).vmList));
  vm.command('show')
    .description('one VM: regime, figures, lies')
    .argument('<name>')
    .action(run(async () => (await import('./commands/vm-show.ts')).vmShow));
  vm.command('conversions')
    .description('what the guest shared and took back')
    .argument('<name>')
    .action(run(async () => (await import('./commands/vm-conversions.ts')).vmConversions));
  vm.command('trace')
    .description('exits, faults, conversions and where the guest is, as they happen; Ctrl-C ends the trace, not the VM')
    .argument('<name>')
    .option('--kinds <kinds>', 'which: exits,faults,conversions,samples (default: all)')
    .option('--duration <seconds>', 'end it after this time', Number)
    .option('--every <milliseconds>', 'between two samples (default: 10)', Number)
    .action(run(async () => (await import('./commands/vm-trace.ts')).vmTrace));
  vm.command('console')
    .description("the VM's serial console (Ctrl-] leaves)")
    .argument('<name>')
    .action(run(async () => (await import('./commands/vm-console.ts')).vmConsole));
  vm.command('stop')
    .description('stop a VM')
    .argument('<name>')
    .action(run(async () => (await import('./commands/vm-stop.ts')).vmStop));
  vm.command('delete')
    .description('stop a VM and forget it')
    .argument('<name>')
    .action(run(async () => (await import('./commands/vm-delete.ts')).vmDelete));

  program
    .command('run')
    .description('run one guest here, without a server; its console is this terminal')
    .argument('[kernel]', 'a bzImage or vmlinux, or `probe` for the built-in probe guest')
    .option('--restore <file>', 'instead of a kernel: go on from a snapshot')
    .option('--snapshot <file>', 'what ends the run from outside (Ctrl-], SIGTERM) saves the guest there first')
    .option('--initrd <file>', 'initial RAM disk')
    .option('--type <type>', 'VM type (see `unpin vm-types`)', 'standard')
    .option('--memory <size>', 'nominal memory, e.g. 512M or 16G', '512M')
    .addOption(
      new Option('--kvm <which>', "whose KVM: this machine's (linux), ours (software), or the first that can")
        .choices(['auto', 'linux', 'software'])
        .default('auto'),
    )
    .option('--append <text>', 'appended to the kernel command line')
    .option('--in-guest-decompress', 'enter the bzImage at its own stub, which unpacks the kernel in the guest')
    .option('--waive <reason>', 'start it although its needs are not met; its lies are named')
    .option('--probation', 'start unpinned; if it never reports, start again pinned')
    .addOption(
      new Option('--flavour <flavour>', 'what the probe does')
        .choices(['honest', 'silent', 'lying', 'misreporting'])
        .default('honest'),
    )
    .option('--stop-on-lie', 'end the guest at the first lie')
    .option('--timeout <seconds>', 'end the guest after this time', Number)
    .option('--test-host [kernel]', 'run inside a test host (a Debian kernel with kvm_amd in QEMU)')
    .option('--figures', 'print the figures when the guest ends')
    .option('--trace [kinds]', 'print events as they happen: exits,faults,conversions,samples (default: conversions)')
    .action(run(async () => (await import('./commands/run.ts')).runCommand));

  program
    .command('compare')
    .description('run the same guest as several VM types and show their figures side by side')
    .argument('<kernel>', 'a bzImage or vmlinux, or `probe` for the built-in probe guest')
    .option('--types <types>', 'comma-separated VM types', 'sev,sev-upm')
    .option('--initrd <file>', 'initial RAM disk; the guest must power off by itself')
    .option('--memory <size>', 'nominal memory', '512M')
    .addOption(
      new Option('--kvm <which>', "whose KVM: this machine's (linux), ours (software), or the first that can")
        .choices(['auto', 'linux', 'software'])
        .default('auto'),
    )
    .option('--append <text>', 'appended to the kernel command line')
    .option('--timeout <seconds>', 'end each guest after this time', Number, 300)
    .option('--test-host [kernel]', 'run inside a test host')
    .action(run(async () => (await import('./commands/compare.ts')).compareCommand));

  const config = program.command('config').description('configuration: flag over environment over file');
  config
    .command('show')
    .description('every setting and its value')
    .option('--origin', 'where each value comes from')
    .action(run(async () => (await import('./commands/config-show.ts')).configShow));

  const testHost = program
    .command('test-host')
    .description("a real kvm_amd without the hardware: Debian's kernel in QEMU");
  testHost
    .command('fetch')
    .description("fetch what it needs from Debian's packages into the cache")
    .argument('[assets...]', 'which parts (default: all, those that tests need among them)')
    .action(run(async () => (await import('./commands/test-host-fetch.ts')).testHostFetch));
  testHost
    .command('path')
    .description('the file of a fetched part')
    .argument('<asset>')
    .action(run(async () => (await import('./commands/test-host-path.ts')).testHostPath));
  testHost
    .command('run')
    .description('run a command inside a test host')
    .argument('<command...>')
    .option('--kernel <id>', 'host-6.12 or host-newest', 'host-6.12')
    .option('--memory <size>', 'memory of the host', '4G')
    .option('--timeout <seconds>', 'end it after this time', Number, 600)
    .action(run(async () => (await import('./commands/test-host-run.ts')).testHostRun));

  return program;
}

/** Runs a command line and answers its exit status. Errors are printed, never thrown. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  let code = 0;
  const program = buildProgram((answer) => {
    code = answer;
  });
  quiet(program);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 64;
    const { reportError } = await import('./render/error.ts');
    return reportError(thrown, argv.includes('--json'));
  }
}

/** For an option that may be given several times. */
function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Commander must not end the process by itself: exit codes are ours. */
function quiet(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) quiet(child);
}
