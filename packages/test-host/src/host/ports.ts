/** Names of the virtio-serial ports between us and the test host, as the guest finds them in /sys/class/virtio-ports. */
export const CONTROL_PORT = 'unpin.control';
export const STDIN_PORT = 'unpin.stdin';
export const STDOUT_PORT = 'unpin.stdout';
export const STDERR_PORT = 'unpin.stderr';
/** Not a port but a console of its own, hvc0: what a command gets that wants a terminal. */
export const TERMINAL = 'unpin.terminal';
