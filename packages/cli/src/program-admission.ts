import type { Command } from 'commander';
import type { GlobalOptions } from './program.ts';

type Load<A extends unknown[]> = () => Promise<(globals: GlobalOptions, ...args: A) => Promise<number>>;

/** Wraps a lazily loaded command: its answer is the exit status. */
export type Run = <A extends unknown[]>(load: Load<A>) => (...args: [...A, Command]) => Promise<void>;

/** The commands for who creates VMs with other tools: `admit`, `admit nova`, `webhook manifest`. */
export function addAdmissionCommands(program: Command, run: Run): void {
  const admit = program
    .command('admit')
    .description('may this image have this VM type? decides without creating; exit 0 may, 1 may not, 2 unknown')
    .argument('[file]', 'a kernel or a disk image, inspected here and now')
    .option('--image <name>', 'an image of the control plane instead')
    .option(
      '--verdict <file>',
      'a verdict instead, as `unpin image inspect --format json` prints it (-: standard input)',
    )
    .option('--type <type>', 'VM type (see `unpin vm-types`)')
    .option('--explain', 'every reason with its evidence, and what other types would give')
    .option('--audit', 'with --image: keep a record in the audit log')
    .action(run(async () => (await import('./commands/admit.ts')).admit));
  admit
    .command('nova')
    .description("Nova's own rules on an image and a flavor, then the verdict on what the image boots")
    .requiredOption('--image-properties <file>', 'JSON: of Glance, of `openstack image show -f json`, or bare')
    .requiredOption('--flavor <file>', 'JSON: of Nova, of `openstack flavor show -f json`, or bare extra specs')
    .option('--image <name>', "unpin's image; unless said, what admission.images says of the Glance image")
    .option('--verdict <file>', 'a verdict instead; no control plane is needed then')
    .option('--explain', 'every reason with its evidence, and what other models would give')
    .action(run(async () => (await import('./commands/admit-nova.ts')).admitNova));

  program
    .command('webhook')
    .description('admission webhooks for other control planes')
    .command('manifest')
    .description("Kubernetes' ValidatingWebhookConfiguration for KubeVirt, with the failurePolicy that fits")
    .option('--admission <file>', "the control plane's admission file (default: UNPIN_ADMISSION)")
    .option('--service <namespace/name[:port]>', 'the Service in front of the control plane, or --url https://HOST')
    .option('--ca <file>', "certificates that sign the control plane's, in PEM")
    .option('--name <name>', 'name of the webhook', 'kubevirt.unpin.dev')
    .action(run(async () => (await import('./commands/webhook-manifest.ts')).webhookManifestCommand));
}
