import { parentPort, workerData } from 'node:worker_threads';
import { type ReadBootSet, readBootSet } from '../machine/boot-set.ts';
import { toCatalogue } from '../machine/known-errors.ts';
import { orderOf } from './launch-subject.ts';
import { Subject } from './subject.ts';
import type { SubjectAnswers, SubjectOptions, SubjectReply, SubjectRequest } from './subject-messages.ts';

/** A subject's thread: reads the image once, and does what it is asked, one request after the other. */
const port = parentPort;
if (port !== null) {
  const options = workerData as SubjectOptions;
  let bootSet: ReadBootSet | undefined;
  let subject: Subject | undefined;

  const start = async (): Promise<Subject> => {
    subject?.close();
    bootSet ??= readBootSet(orderOf(options));
    subject = await Subject.start(options, bootSet);
    return subject;
  };

  const answer = async (request: SubjectRequest): Promise<SubjectAnswers[keyof SubjectAnswers]> => {
    const now = request.kind === 'restart' ? undefined : subject;
    const running = now ?? (await start());
    switch (request.kind) {
      case 'restart':
        return running.state();
      case 'windows':
        return running.windows(request.size, request.count, request.watch);
      case 'run-to':
        running.runTo(request.retired);
        return running.state();
      case 'look':
        return running.look(request.watch);
    }
  };

  let turn: Promise<void> = Promise.resolve();
  port.on('message', ({ id, request }: { readonly id: number; readonly request: SubjectRequest }) => {
    turn = turn
      .then(() => answer(request))
      .then(
        (given): SubjectReply => ({ id, answer: given }),
        (thrown: unknown): SubjectReply => ({ id, error: toCatalogue(options.type, thrown).toBody() }),
      )
      .then((reply) => port.postMessage(reply));
  });
}
