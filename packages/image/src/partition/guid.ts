/** A GUID as UEFI stores it (appendix A): the first three groups with the least byte first. Lower case. */
export function guidOf(bytes: Uint8Array): string {
  const hex = (...order: readonly number[]): string =>
    order.map((index) => (bytes[index] ?? 0).toString(16).padStart(2, '0')).join('');
  return `${hex(3, 2, 1, 0)}-${hex(5, 4)}-${hex(7, 6)}-${hex(8, 9)}-${hex(10, 11, 12, 13, 14, 15)}`;
}
