/** Makes one libc call. */
import { threadId } from '../../src/sys/thread-signal.ts';

threadId();
