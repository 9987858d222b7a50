/** How ioctl numbers are made (asm-generic/ioctl.h): direction, size of the argument, group, number. */
const NONE = 0;
const WRITE = 1;
const READ = 2;

function number(direction: number, group: number, nr: number, size: number): number {
  return direction * 2 ** 30 + size * 2 ** 16 + group * 2 ** 8 + nr;
}

/** An ioctl without a struct: its argument, if any, is a number. */
export const io = (group: number, nr: number): number => number(NONE, group, nr, 0);
/** User space writes a struct of `size` bytes. */
export const iow = (group: number, nr: number, size: number): number => number(WRITE, group, nr, size);
/** User space reads one. */
export const ior = (group: number, nr: number, size: number): number => number(READ, group, nr, size);
export const iowr = (group: number, nr: number, size: number): number => number(READ + WRITE, group, nr, size);
