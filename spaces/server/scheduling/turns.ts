import type { RequestDeadline } from "../scheduling/scheduler.ts";
import { Refused } from "../scheduling/refused.ts";

type Waiting = { go: () => void; stop: (why: Refused) => void };

export type Turns = {
  /**
   * Waits for a turn.
   *
   * @returns a function that gives the turn back.
   * @throws Refused when too many wait, the deadline passes, or the client disconnects.
   */
  take(requestDeadline: RequestDeadline): Promise<() => void>;
  waiting(): number;
  taken(): number;
  /** Refuses waiting and new requests; resolves when every turn has been given back. */
  close(): Promise<void>;
};

/**
 * At most `concurrency` turns at the same time, and at most `queue` requests waiting for one. First come, first served.
 */
export function createTurns(limits: { concurrency: number; queue: number }, now: () => number): Turns {
  const queue: Waiting[] = [];
  let taken = 0;
  let closed: (() => void) | null = null;

  const release = () => {
    taken--;
    queue.shift()?.go();
    if (taken === 0) closed?.();
  };
  const once = (): (() => void) => {
    taken++;
    let given = false;
    return () => {
      if (given) return;
      given = true;
      release();
    };
  };

  return {
    waiting: () => queue.length,
    taken: () => taken,
    async take(requestDeadline) {
      if (closed !== null) throw new Refused("draining", "the model is being replaced or the server is stopping");
      if (requestDeadline.disconnect?.aborted) throw new Refused("cancelled", "the client went away");
      if (taken < limits.concurrency) return once();
      if (queue.length >= limits.queue)
        throw new Refused("queue-full", `${queue.length} rows are waiting for the remote model`);
      return new Promise<() => void>((resolve, reject) => {
        const waiting: Waiting = {
          go() {
            clearTimeout(timer);
            resolve(once());
          },
          stop(why) {
            clearTimeout(timer);
            const at = queue.indexOf(waiting);
            if (at < 0) return;
            queue.splice(at, 1);
            reject(why);
          },
        };
        const timer = setTimeout(
          () =>
            waiting.stop(new Refused("deadline", "the request's deadline passed while it waited for the remote model")),
          Math.max(0, requestDeadline.deadlineAt - now()),
        );
        requestDeadline.disconnect?.onAborted(() => waiting.stop(new Refused("cancelled", "the client went away")));
        queue.push(waiting);
      });
    },
    async close() {
      const empty = new Promise<void>((resolve) => {
        closed = resolve;
      });
      while (queue.length > 0)
        queue[0]!.stop(new Refused("draining", "the model is being replaced or the server is stopping"));
      if (taken > 0) await empty;
    },
  };
}
