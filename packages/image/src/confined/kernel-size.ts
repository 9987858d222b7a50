/** A kernel of more bytes is none that a loader could place; distributions' have 10 to 100 MiB. */
export const MOST_KERNEL_BYTES = 2 ** 28;
