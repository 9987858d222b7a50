import type { Evidence, Finding, FirmwareStatementId, FirmwareVerdict } from '@unpin/policy';
import { findLastWithin, findWithin, occurrences } from '../signals/signal.ts';
import { inferred, proven, unknown } from '../verdict/finding.ts';
import { ENTRY, type FirmwareImage, findEntry, findPlace } from './firmware-image.ts';
import { type MetadataSection, SEV_SECTION, TDX_SECTION } from './metadata.ts';

type Statements = FirmwareVerdict['statements'];

/** 'mov eax, 0x8000001f': the CPUID leaf of memory encryption; 'mov ecx, 0xc0010131': the MSR that says SEV is on. */
const ENCRYPTION_LEAF = Uint8Array.of(0xb8, 0x1f, 0x00, 0x00, 0x80);
const SEV_STATUS = Uint8Array.of(0xb9, 0x31, 0x01, 0x01, 0xc0);
const LEAF_TO_MSR = 128;
const VMGEXIT = Uint8Array.of(0xf3, 0x0f, 0x01, 0xd9);
const VMMCALL = Uint8Array.of(0x0f, 0x01, 0xd9);
const PVALIDATE = Uint8Array.of(0xf2, 0x0f, 0x01, 0xff);
const TDCALL = Uint8Array.of(0x66, 0x0f, 0x01, 0xcc);
/** KVM_HC_MAP_GPA_RANGE in eax or rax, shortly before its vmmcall. */
const HYPERCALL_NUMBERS = [Uint8Array.of(0xb8, 12, 0, 0, 0), Uint8Array.of(0x48, 0xc7, 0xc0, 12, 0, 0, 0)];
const NUMBER_BEFORE = 48;
/** The EFI variable that tells a kernel of SEV live migration: its name, and its GUID 0cf29b71-9e51-433a-a3b7-81f3ab16b875. */
const VARIABLE_NAME = Buffer.from('SevLiveMigrationEnabled', 'utf16le');
const VARIABLE_GUID = Uint8Array.from(Buffer.from('719bf20c519e3a43a3b781f3ab16b875', 'hex'));

/**
 * What firmware can do. Its table alone says too much: Debian's 4 MiB build of 2020 has the entry for SEV-ES and none of
 * the code, and the build for TDX has the list of SNP's pages and no code that validates one. So the code that runs
 * first, which lies unpacked in the file, must agree.
 */
export function judgeFirmware(image: FirmwareImage): Statements {
  return {
    'firmware-sev': judgeSev(image),
    'firmware-sev-es': judgeSevEs(image),
    'firmware-snp': judgeSnp(image),
    'firmware-tdx': judgeTdx(image),
    'firmware-kernel-hashes': judgeKernelHashes(image),
    'firmware-reports-conversions': judgeReports(image),
    'firmware-live-migration': judgeLiveMigration(image),
  };
}

/** Nothing is known of what is no firmware of this family. */
export function judgeUnknownFirmware(obstacle: string): Statements {
  const finding = unknown(obstacle);
  return {
    'firmware-sev': finding,
    'firmware-sev-es': finding,
    'firmware-snp': finding,
    'firmware-tdx': finding,
    'firmware-kernel-hashes': finding,
    'firmware-reports-conversions': finding,
    'firmware-live-migration': finding,
  } satisfies Record<FirmwareStatementId, Finding>;
}

function judgeSev({ file }: FirmwareImage): Finding {
  for (const at of occurrences(file, ENCRYPTION_LEAF)) {
    const msr = findWithin(file, SEV_STATUS, at, at + LEAF_TO_MSR);
    if (msr === undefined) continue;
    const evidence = evidenceAt('c-bit-setup', at, 'mov eax, 0x8000001f; … mov ecx, 0xc0010131');
    return proven('yes', 'asks for the C bit before it builds its page tables', evidence);
  }
  return proven('no', 'its first code does not ask for the C bit');
}

function judgeSevEs(image: FirmwareImage): Finding {
  const entry = findEntry(image.table, ENTRY.sevEsReset);
  const listed = entry && tableEvidence('sev-es-reset-block', entry.offset, ENTRY.sevEsReset);
  const code = rawCode(image, 'vmgexit', VMGEXIT, 'rep vmmcall');
  if (entry === undefined) return withoutEntry(image, 'names no place where further processors start', code);
  if (code === undefined) return proven('no', 'names that place, but its first code never speaks to the VMM', listed);
  return proven('yes', 'names where further processors start, and speaks to the VMM by VMGEXIT', listed, code);
}

function judgeSnp(image: FirmwareImage): Finding {
  const { sev } = image;
  const code = rawCode(image, 'pvalidate', PVALIDATE, 'pvalidate');
  if (sev === undefined) return withoutEntry(image, "has no list of an SNP launch's pages", code);
  const needed = [SEV_SECTION.secrets, SEV_SECTION.cpuid].every((type) => has(sev.sections, type));
  const listed = tableEvidence('sev-metadata', sev.offset, sectionsText(sev.sections));
  if (!needed) return proven('no', 'its list lacks the secrets page or the CPUID page', listed, code);
  if (code === undefined) return proven('no', 'has the list, but its first code does not validate its memory', listed);
  return proven('yes', "has the list of an SNP launch's pages, and validates its memory", listed, code);
}

function judgeTdx(image: FirmwareImage): Finding {
  const { tdx } = image;
  const code = rawCode(image, 'tdcall', TDCALL, 'tdcall');
  if (tdx === undefined) return withoutEntry(image, 'has no list of parts for a TDX launch', code);
  const needed = [TDX_SECTION.bootFirmwareVolume, TDX_SECTION.handOffBlock].every((type) => has(tdx.sections, type));
  const listed = tableEvidence('tdx-metadata', tdx.offset, sectionsText(tdx.sections));
  if (!needed) return proven('no', 'its list lacks the boot firmware volume or the hand-off block', listed, code);
  if (code === undefined) return proven('no', 'has the list, but its first code makes no TDCALL', listed);
  return proven('yes', 'has the list of parts for a TDX launch, and makes TDCALLs', listed, code);
}

function judgeKernelHashes(image: FirmwareImage): Finding {
  const entry = findEntry(image.table, ENTRY.kernelHashes);
  if (entry === undefined) return withoutEntry(image, 'names no place for hashes');
  const place = findPlace(image.table, ENTRY.kernelHashes);
  if (place === undefined)
    return proven(
      'no',
      'names a place for hashes that is empty: it was not built to check them',
      tableEvidence('kernel-hashes', entry.offset, 'base 0 or size 0'),
    );
  const seen = `${place.size} bytes at 0x${place.base.toString(16)}`;
  return proven('yes', 'names the place of hashes that it checks', tableEvidence('kernel-hashes', entry.offset, seen));
}

/** The firmware shares pages itself (GHCB, DMA): on a type that lives by reports it must report them. */
function judgeReports(image: FirmwareImage): Finding {
  for (const [name, bytes] of parts(image))
    for (const at of occurrences(bytes, VMMCALL)) {
      if (bytes[at - 1] === VMGEXIT[0]) continue;
      const number = HYPERCALL_NUMBERS.some(
        (each) => findLastWithin(bytes, each, at - NUMBER_BEFORE, at) !== undefined,
      );
      if (!number) continue;
      const evidence = { signal: 'hypercall-code', where: name, offset: at, seen: 'mov eax, 12; vmmcall' };
      return inferred('yes', 'makes the hypercall; what for was not looked at', evidence);
    }
  return withoutCode(image, 'does not make the hypercall: pages that it shares itself go unreported');
}

function judgeLiveMigration(image: FirmwareImage): Finding {
  for (const [name, bytes] of parts(image)) {
    const [text] = occurrences(bytes, VARIABLE_NAME);
    const [guid] = occurrences(bytes, VARIABLE_GUID);
    const found = text ?? guid;
    if (found === undefined) continue;
    const seen = [text === undefined ? '' : 'its name', guid === undefined ? '' : 'its GUID'].filter(Boolean);
    const evidence = { signal: 'live-migration-variable', where: name, offset: found, seen: seen.join(' and ') };
    return inferred('yes', 'knows the variable SevLiveMigrationEnabled', evidence);
  }
  return withoutCode(
    image,
    'does not know the variable SevLiveMigrationEnabled: kernels never announce themselves ready',
  );
}

/** A lack is proven where everything could be read. */
function withoutCode({ volumes }: FirmwareImage, summary: string): Finding {
  return volumes.problems.length === 0 && volumes.unpacked.length > 0
    ? proven('no', summary)
    : inferred('no', `${summary} (its packed volumes could not all be read)`);
}

/** An entry that is not there proves a lack where the table could be read to its end. */
function withoutEntry({ table, problems }: FirmwareImage, summary: string, code?: Evidence): Finding {
  return table.problem === undefined && problems.length === 0
    ? proven('no', summary, code)
    : inferred('no', `${summary}, as far as it could be read`, code);
}

/** Code that runs before anything is unpacked: it lies in the file as it is. */
function rawCode({ file }: FirmwareImage, signal: string, code: Uint8Array, text: string): Evidence | undefined {
  const places = occurrences(file, code);
  const [first] = places;
  return first === undefined ? undefined : evidenceAt(signal, first, `${text}, at ${places.length} places`);
}

function parts({ file, volumes }: FirmwareImage): (readonly [string, Uint8Array])[] {
  return [['firmware', file], ...volumes.unpacked.map((bytes, i) => [`volume ${i + 1}`, bytes] as const)];
}

function has(sections: readonly MetadataSection[], wanted: number): boolean {
  return sections.some(({ type, bytes }) => type === wanted && bytes > 0);
}

function sectionsText(sections: readonly MetadataSection[]): string {
  return sections.map(({ type, address }) => `type ${type} at 0x${address.toString(16)}`).join(', ');
}

function evidenceAt(signal: string, offset: number, seen: string): Evidence {
  return { signal, where: 'firmware', offset, seen };
}

function tableEvidence(signal: string, offset: number, seen: string): Evidence {
  return { signal, where: 'firmware GUID table', offset, seen };
}
