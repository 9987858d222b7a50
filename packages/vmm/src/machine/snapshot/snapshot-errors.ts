import { UnpinError } from '@unpin/contract/errors';

/** The named errors of the software KVM's snapshots; told by name, so that its modules needn't be loaded for it. */
const NAMES: ReadonlySet<string> = new Set(['SnapshotError', 'SnapshotFileError']);

function hasName(thrown: unknown): thrown is Error {
  return thrown instanceof Error && NAMES.has(thrown.name);
}

/** What saving throws, in the catalogue's words. */
export function savingError(name: string, path: string, thrown: unknown): UnpinError {
  if (thrown instanceof UnpinError) return thrown;
  if (hasName(thrown)) return new UnpinError('SNAPSHOT_UNAVAILABLE', { subject: name, found: thrown.message });
  return fileError(path, thrown);
}

/** What restoring throws. */
export function restoringError(path: string, thrown: unknown): UnpinError {
  if (thrown instanceof UnpinError) return thrown;
  if (hasName(thrown) || thrown instanceof RangeError)
    return new UnpinError('SNAPSHOT_INVALID', { subject: path, found: thrown.message, cause: thrown });
  return fileError(path, thrown);
}

function fileError(path: string, thrown: unknown): UnpinError {
  if (!(thrown instanceof Error && 'syscall' in thrown && 'code' in thrown)) return UnpinError.from(thrown);
  const { code, message: found } = thrown;
  return new UnpinError(code === 'ENOENT' ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE', {
    subject: path,
    found,
    cause: thrown,
  });
}
