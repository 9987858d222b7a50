/** A counter in the kernel (eventfd): irqfd and ioeventfd signal through one. Never blocks. */
export interface EventFd {
  readonly fd: number;
  /** Adds to the counter. */
  signal(count?: number): void;
  /** Takes the counter to 0; 0 where nothing was signalled. Exact below 2^53. */
  take(): number;
  close(): void;
}
