import type { ErrorBody, ImageInspectionMessage } from '@unpin/contract';
import type { FormatErrorKind } from '../format-error.ts';

/**
 * What the process that parses images and the one that started it say to each other. The former has no right to open
 * anything: files come as descriptors that it was born with, whatever else is read by the other side.
 */
export interface JobFile {
  readonly name: string;
  readonly bytes: number;
  /** Equal for the same file under all its names. */
  readonly identity: string;
  readonly medium:
    | { readonly kind: 'descriptor'; readonly descriptor: number }
    /** Read by the other side, `id` being its name there. */
    | { readonly kind: 'remote'; readonly id: number }
    /** A folder, whose files the other side opens. */
    | { readonly kind: 'folder'; readonly id: number };
}

/** What is to be inspected. */
export interface JobOptions {
  /** What the file is taken for; `auto`: what it looks like. */
  readonly as: 'auto' | 'kernel' | 'disk';
  /** The entry that is judged instead of the default: its title, or its number from 1 on. */
  readonly entry?: string;
  /** The command line that the kernel will get, in place of the one that its loader would give. */
  readonly commandLine?: string;
  /** CPU time after which no further kernel is begun, in milliseconds. */
  readonly softCpuMs: number;
}

export interface Job {
  readonly image: JobFile;
  readonly backing: readonly JobFile[];
  readonly firmware?: JobFile;
  /** Of a kernel that is given as a file. */
  readonly initrd?: JobFile;
  readonly options: JobOptions;
  /** Whether kernel and initrd of the start that was judged are wanted, byte for byte. */
  readonly deliver: boolean;
}

/** The program's argument: it will be given disks, not kernels alone. */
export const WITH_DISKS = 'with-disks';

export type ToConfined =
  | { readonly type: 'job'; readonly job: Job }
  | { readonly type: 'bytes'; readonly read: number; readonly bytes: Uint8Array }
  | { readonly type: 'no-bytes'; readonly read: number; readonly error: WireFormatError }
  | OpenedPart;

/** Answers `open`: how the file can be read, and its size; neither where there is none. */
export interface OpenedPart {
  readonly type: 'opened';
  readonly read: number;
  readonly part?: { readonly id: number; readonly bytes: number };
}

export interface WireFormatError {
  readonly kind: FormatErrorKind;
  readonly what: string;
  readonly offset: number;
  readonly detail: string;
}

export type FromConfined =
  /** Loaded, and without rights. */
  | { readonly type: 'ready' }
  /** What is being done, so that who has to end this process can say what it was at. */
  | { readonly type: 'at'; readonly what: string }
  | {
      readonly type: 'read';
      readonly read: number;
      readonly file: number;
      readonly offset: number;
      readonly length: number;
    }
  | { readonly type: 'open'; readonly read: number; readonly folder: number; readonly name: string }
  | { readonly type: 'part'; readonly part: 'kernel' | 'initrd'; readonly bytes: Uint8Array }
  | { readonly type: 'done'; readonly inspection: ImageInspectionMessage; readonly spent: boolean }
  | { readonly type: 'failed'; readonly error: ErrorBody; readonly spent: boolean };
