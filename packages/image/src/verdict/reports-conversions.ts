import type { Finding } from '@unpin/policy';
import { findHypercallCode, type HypercallSite } from '../signals/hypercall-code.ts';
import { findClearedHypervisorBit } from '../signals/hypervisor-bit.ts';
import { findKpteLookup } from '../signals/kpte-lookup.ts';
import { findNopv } from '../signals/nopv.ts';
import { addressOf, type SignalInput } from '../signals/signal.ts';
import { findStatusHook, type StatusHook } from '../signals/status-hook.ts';
import { findSymbol, missingSymbol } from '../signals/symbol.ts';
import { inferred, proven, unknown } from './finding.ts';

const REPORTING_FUNCTION = 'kvm_sev_hc_page_enc_status';
const INSTALLER = 'kvm_init_platform';
/** Of AMD's: what makes the reports while the guest starts. */
const CALL_SITE = 'early_set_mem_enc_dec_hypercall';
const BEGINNING = 'start_kernel';
/** The hypercall stands in the first so many bytes of the function that the hook installs. */
const FUNCTION_REACH = 96n;
const INSTALLER_SIZE = 512n;
/** Kernels have one. With more, which one is installed would not tell anything. */
const MOST_SITES = 16;

export interface ReportsConversions {
  readonly finding: Finding;
  /** The hook that installs the reporting function, where it was recognised. */
  readonly hook: StatusHook | undefined;
}

/**
 * Whether the kernel reports conversions. Each signal alone is known to mislead: a kernel for TDX only has the
 * function but not AMD's call site, one without CONFIG_KVM_GUEST has the call site but no function. Never from the
 * version: distributions backport.
 */
export function judgeReportsConversions(input: SignalInput): ReportsConversions {
  const sites = findHypercallCode(input);
  const hook = findHook(input, sites);
  return { finding: judge(input, sites, hook), hook };
}

function judge(input: SignalInput, sites: readonly HypercallSite[], hook: StatusHook | undefined): Finding {
  const nopv = findNopv(input.commandLine);
  const callSite = findKpteLookup(input);
  const symbol = findSymbol(input, REPORTING_FUNCTION);
  const [site] = sites;

  if (nopv !== undefined)
    return proven('no', 'its command line turns KVM guest support off, and with it all reports', nopv, site?.evidence);
  const cleared = findClearedHypervisorBit(input.commandLine);
  if (cleared !== undefined)
    return inferred('no', 'its command line hides its hypervisor from it', cleared, site?.evidence);
  if (site === undefined) {
    const installer = findSymbol(input, INSTALLER);
    const missing = missingSymbol(input, REPORTING_FUNCTION);
    if (installer !== undefined && missing !== undefined)
      return proven('no', 'is a KVM guest, and has no function that reports conversions', installer, missing);
    // A table that has the kernel's beginning is whole: what it lacks isn't there.
    if (missing !== undefined && findSymbol(input, BEGINNING) !== undefined)
      return proven(
        'no',
        'is no KVM guest: it neither makes the hypercall nor has who would',
        missingSymbol(input, INSTALLER),
        missing,
        callSite,
      );
    if (symbol !== undefined) return unknown('has the reporting function by name, but not its hypercall', symbol);
    return inferred('no', 'has no code that makes the hypercall', missing, callSite);
  }
  if (!sites.some(({ attribute }) => attribute === 'upstream'))
    return unknown('makes a hypercall 12 of another form than the upstream ABI', site.evidence, symbol);
  const missingCallSite = missingSymbol(input, CALL_SITE);
  if (callSite === undefined && missingCallSite !== undefined && findSymbol(input, BEGINNING) !== undefined)
    return proven('no', "has the hypercall, but nothing of AMD's that would make it", missingCallSite, site.evidence);
  if (callSite === undefined)
    return inferred('no', "has the hypercall, but nothing of AMD's that would make it", site.evidence, symbol);
  if (hook === undefined || sites.filter((each) => !isOfInstaller(each, hook)).length !== 1)
    return inferred('yes', 'has the hypercall; what installs it was not recognised', site.evidence, callSite, symbol);
  return proven(
    'yes',
    'reports conversions where KVM offers it (CPUID 0x40000001 EAX bit 17)',
    site.evidence,
    hook.evidence,
    callSite,
    symbol,
  );
}

/** The hook whose function holds the upstream form of the hypercall. */
function findHook(input: SignalInput, sites: readonly HypercallSite[]): StatusHook | undefined {
  const upstream = sites.filter(({ attribute }) => attribute === 'upstream');
  if (upstream.length === 0 || upstream.length > MOST_SITES) return undefined;
  return findStatusHook(input, (target) =>
    upstream.some(({ address }) => address >= target && address - target < FUNCTION_REACH),
  );
}

/** A second hypercall in the installer itself, which reports all memory as encrypted when the guest starts. */
function isOfInstaller({ address, attribute }: HypercallSite, hook: StatusHook): boolean {
  const distance = address - addressOf(hook.site);
  return attribute === 'constant' && distance >= 0n && distance < INSTALLER_SIZE;
}
