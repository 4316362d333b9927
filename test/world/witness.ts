import type { End } from '../../src/balancer/state.ts';
import type { Ec2Action } from '../../src/ec2/api.ts';
import type { Book } from '../../src/history/book.ts';
import type { Effect } from '../fake-aws/ec2/simulated-ec2.ts';
import type { InstanceView } from '../fake-aws/ec2/view.ts';
import type { Master, Process } from './master.ts';

/** Who sees everything that happens in a world, when it happens. Times are true monotonic ms. */
export type Witness = {
  /** A call leaves a master. */
  onCall(master: Master, action: Ec2Action): void;
  /** A call of a master was answered, and not with an error. */
  onAnswer(master: Master, action: Ec2Action): void;
  /** A call has its effect; of nobody's when somebody with the console made it. */
  onEffect(master: Master | undefined, effect: Effect, sentAt: number): void;
  /** A balancer has written its farm file, or found it as it should be. */
  onWrite(master: Master, urls: readonly string[]): void;
  /** Somebody else has written a master's farm file. */
  onEdit(master: Master): void;
  onLog(master: Master, message: string): void;
  /** Somebody's probe was answered on every port. */
  onReady(instance: InstanceView, address: string): void;
  /** A look at Apache, as it truly went. */
  onReading(master: Master | undefined, how: 'begins' | 'ok' | 'failed'): void;
  /** A balancer has decided, and its history has seen it. */
  onBook(master: Master, process: Process, book: () => Book): void;
  /** The file with the latest hours of the history is written. */
  onBookWrite(master: Master, how: 'begins' | 'done'): void;
  /** A process begins, and knows what was spent before or does not. */
  onSpent(master: Master, isKnown: boolean): void;
  onStart(master: Master, process: Process): void;
  onEnd(master: Master, process: Process, how: End | Error): void;
  onKill(master: Master, process: Process): void;
  /** Time has gone on, and everything that this set going has come to rest. */
  onStep(): void;
};

const nothing = () => {};

/** Sees nothing. */
export const NOBODY: Witness = {
  onCall: nothing,
  onAnswer: nothing,
  onBook: nothing,
  onBookWrite: nothing,
  onEffect: nothing,
  onWrite: nothing,
  onEdit: nothing,
  onLog: nothing,
  onReady: nothing,
  onReading: nothing,
  onSpent: nothing,
  onStart: nothing,
  onEnd: nothing,
  onKill: nothing,
  onStep: nothing,
};
