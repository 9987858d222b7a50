/** An unsigned 64-bit value as two unsigned 32-bit halves, reused by its owner: no bigint where a guest runs. */
export interface U64Words {
  high: number;
  low: number;
}
