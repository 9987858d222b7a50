/**
 * An unsigned 64-bit value at the port. Addresses and sizes of real machines are exact as numbers (below 2^53);
 * a bigint carries what isn't, so that rules can be asked with values at the end of the range.
 */
export type U64 = number | bigint;
