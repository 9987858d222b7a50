import type { ColumnType, Generated } from 'kysely';

/** JSON as text: parsed and made by the file of its table, and nowhere else. */
type Json = string;
/** Milliseconds since 1970. */
type Time = number;
/** 0 or 1. */
type Flag = number;
/** Set when the row is made, and never again. */
type Fixed<T> = ColumnType<T, T, never>;

export interface ImagesTable {
  readonly name: Fixed<string>;
  readonly boot: Fixed<Json>;
  readonly built_in: Fixed<Flag>;
  readonly state: string;
  /** Counts inspections: the answer to an older one is dropped. */
  readonly generation: number;
  readonly host: string | null;
  readonly verdict: Json | null;
  readonly error: Json | null;
  readonly created_at: Fixed<Time>;
  readonly judged_at: Time | null;
}

/** Columns up to `created_at` are the control plane's, `desired` included; the others are its host's last word. */
export interface VmsTable {
  readonly name: Fixed<string>;
  readonly uid: Fixed<string>;
  readonly image: Fixed<string>;
  readonly boot: Fixed<Json>;
  readonly boot_set: Fixed<string>;
  readonly type: Fixed<string>;
  readonly memory_bytes: Fixed<number>;
  /** What the host must keep pinned for it: all of its memory where the type, or probation's fallback, pins upfront. */
  readonly pinned_bytes: Fixed<number>;
  readonly allow: Fixed<Json>;
  readonly decision: Fixed<Json>;
  readonly probation: Fixed<Json | null>;
  readonly host: Fixed<string>;
  readonly execution: Fixed<string>;
  readonly confidential: Fixed<Flag>;
  readonly desired: string;
  readonly created_at: Fixed<Time>;
  readonly state: string;
  readonly report: Json | null;
  readonly ending: Json | null;
  readonly figures: Json | null;
  readonly error: Json | null;
  readonly sockets: Json | null;
}

export interface HostsTable {
  readonly name: Fixed<string>;
  /** Grows with each registration: it fences the agent that had the host before. */
  readonly epoch: number;
  readonly agent: Json;
  readonly endpoint: Json;
  readonly capabilities: Json;
  readonly registered_at: Time;
}

/** Append only. */
export interface AuditTable {
  readonly seq: Generated<number>;
  readonly at: Fixed<Time>;
  readonly actor: Fixed<string>;
  readonly action: Fixed<string>;
  readonly subject: Fixed<string>;
  readonly outcome: Fixed<string>;
  readonly detail: Fixed<Json | null>;
}

/** Append only, its tail is cut. */
export interface ChangesTable {
  readonly revision: Generated<number>;
  readonly at: Fixed<Time>;
  readonly kind: Fixed<string>;
  readonly name: Fixed<string>;
  readonly action: Fixed<string>;
  /** The host that this is work for, `*` for any host, null for none. */
  readonly work_for: Fixed<string | null>;
}

export interface Schema {
  readonly images: ImagesTable;
  readonly vms: VmsTable;
  readonly hosts: HostsTable;
  readonly audit: AuditTable;
  readonly changes: ChangesTable;
}
