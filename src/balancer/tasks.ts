import type { Ledger } from '../budget/ledger.ts';
import type { Config } from '../config/config.ts';
import type { LaunchRequest } from '../spot/launch.ts';

/** Something to do outside of the process. The loop does it and passes the result to `observe.ts`. */
export type Task =
  | { readonly kind: 'read-config' }
  | { readonly kind: 'read-load' }
  | { readonly kind: 'read-farm' }
  | { readonly kind: 'write-farm'; readonly urls: readonly string[] }
  | { readonly kind: 'reload' }
  | { readonly kind: 'describe' }
  | {
      readonly kind: 'probe';
      readonly instanceId: string;
      readonly address: string;
      readonly ports: readonly number[];
      /** When it was decided on, monotonic ms. */
      readonly at: number;
      /** When EC2 had last answered then, monotonic ms. */
      readonly ec2AnsweredAt?: number;
    }
  | { readonly kind: 'prepare'; readonly config: Config }
  | { readonly kind: 'launch'; readonly request: LaunchRequest }
  /** `agoMs`: how long ago, at the decision, they left the farm. */
  | { readonly kind: 'mark-draining'; readonly instanceIds: readonly string[]; readonly agoMs: number }
  /** `templateIds`: of the plan, if there is one; else they are searched for. */
  | { readonly kind: 'mark-alive'; readonly templateIds?: readonly string[] }
  | { readonly kind: 'terminate'; readonly instanceIds: readonly string[] }
  | { readonly kind: 'tidy' }
  | { readonly kind: 'save-spending'; readonly ledger: Ledger };

export type TaskKind = Task['kind'];

/** Two tasks of one key never run at the same time. */
export function keyOf(task: Task): string {
  return task.kind === 'probe' ? `probe ${task.instanceId}` : task.kind;
}
