/**
 * - `foreign`: not a snapshot at all.
 * - `version`: one of another version of the format, or of a build whose processor is laid out otherwise.
 * - `truncated`: bytes are missing at its end.
 * - `damaged`: its bytes are not what was written.
 */
export type SnapshotFileProblem = 'foreign' | 'version' | 'truncated' | 'damaged';

/** A file that can't be read as a snapshot. What the file system refuses comes as its own error. */
export class SnapshotFileError extends Error {
  override readonly name = 'SnapshotFileError';
  readonly problem: SnapshotFileProblem;
  readonly path: string;

  constructor(problem: SnapshotFileProblem, path: string, what: string) {
    super(`${path}: ${what}`);
    this.problem = problem;
    this.path = path;
  }
}
