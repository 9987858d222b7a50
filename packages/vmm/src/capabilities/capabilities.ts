import { cpus, release } from 'node:os';
import type { Capabilities } from '@unpin/contract';
import { UnpinError } from '@unpin/contract/errors';
import { softwareKvmProblem } from '@unpin/kvm/software/problem';
import { vmTypes } from '@unpin/policy';
import { hostMemory } from '../figures/host-facts.ts';
import { openMachineKvm } from '../machine/kvm-backend.ts';
import { CONTRACT_VERSION, VERSION } from '../version.ts';
import { featuresWithoutKvm, findFeatures } from './features.ts';
import { tryGuest } from './trial.ts';
import { type Feature, typeCapability } from './type-capability.ts';

/** Slower than this a kernel takes minutes to boot: millions of instructions a second in ring 0. */
const ENOUGH_MIPS = 15;

/** What this machine can run. Every fact is found by asking the machine; nothing is concluded from a version. */
export async function capabilities(): Promise<Capabilities> {
  const machine = await kvmFacts();
  const { kvm } = machine;
  const features = [...machine.features, softwareKvm()];
  const memory = hostMemory();
  const processors = cpus();
  return {
    vmm: { version: VERSION, contract: CONTRACT_VERSION },
    host: {
      kernel: release(),
      cpuModel: processors[0]?.model.trim() ?? 'unknown',
      cpus: processors.length,
      memoryBytes: memory.totalBytes,
      availableBytes: memory.availableBytes,
    },
    kvm,
    features,
    types: vmTypes().map((type) => typeCapability(type, features, { linux: kvm.bootsLinux, software: true })),
  };
}

/** The software KVM needs nothing of the machine but what Node brings: its own module must have been built. */
function softwareKvm(): Feature {
  const problem = softwareKvmProblem();
  return problem === undefined
    ? { id: 'software-kvm', present: true }
    : { id: 'software-kvm', present: false, detail: problem };
}

interface KvmFacts {
  readonly kvm: Capabilities['kvm'];
  readonly features: readonly Feature[];
}

async function kvmFacts(): Promise<KvmFacts> {
  try {
    const kvm = await openMachineKvm();
    try {
      const features = findFeatures(kvm);
      const trial = await tryGuest();
      const bootsLinux = trial !== undefined && trial.hypercallsExit && trial.ringZeroMips >= ENOUGH_MIPS;
      return { kvm: { present: true, engine: kvm.info.engine, bootsLinux, ...trial }, features };
    } finally {
      kvm.close();
    }
  } catch (cause) {
    if (!(cause instanceof UnpinError)) throw cause;
    return {
      kvm: { present: false, problem: cause.message, bootsLinux: false },
      features: featuresWithoutKvm(cause.message),
    };
  }
}
