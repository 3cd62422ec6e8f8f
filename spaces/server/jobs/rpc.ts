import { JobRefused, type Refusal } from "./refusal.ts";

/** Either side of a channel between two threads, as far as questions and answers need one. */
export type Channel = {
  post(message: unknown): void;
  onMessage(take: (message: unknown) => void): void;
};

type Question = { kind: "question"; id: number; method: string; args: unknown[] };
type Answer = { kind: "answer"; id: number } & (
  | { ok: true; value: unknown }
  | { ok: false; refusal: Refusal | null; name: string; message: string }
);
/** Functions that answer with a promise and take and give plain data. */
type Methods = Record<string, (...args: never[]) => Promise<unknown>>;

/**
 * Calls of functions in another thread: every function of `T` becomes a question, and its answer or refusal comes back.
 * Both sides may ask.
 */
export function createCaller<T extends { [K in keyof T]: (...args: never[]) => Promise<unknown> }>(
  channel: Channel,
): { remote: T; lost: (why: string) => void } {
  const open = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let next = 0;
  let lostWhy: string | null = null;
  channel.onMessage((given) => {
    const message = given as Answer | Question;
    if (message.kind !== "answer") return;
    const waiting = open.get(message.id);
    open.delete(message.id);
    if (message.ok) waiting?.resolve(message.value);
    else {
      const { refusal, name } = message;
      waiting?.reject(
        refusal === null
          ? Object.assign(new Error(message.message), { name })
          : new JobRefused(refusal.status, refusal.code, refusal.detail, refusal.retryAfterSeconds),
      );
    }
  });
  const gave = () => new JobRefused(503, "jobs-stopped", `jobs are not answered for now: ${lostWhy}`, 2);
  const remote = new Proxy({} as T, {
    get: (_target, method: string) =>
      method === "then"
        ? undefined
        : (...args: unknown[]) =>
            new Promise((resolve, reject) => {
              if (lostWhy !== null) return reject(gave());
              const id = next++;
              open.set(id, { resolve, reject });
              channel.post({ kind: "question", id, method, args } satisfies Question);
            }),
  });
  return {
    remote,
    lost(why) {
      lostWhy = why;
      for (const { reject } of open.values()) reject(gave());
      open.clear();
    },
  };
}

/** Answers the questions that come over a channel with these functions. */
export function answerCalls(channel: Channel, methods: object): void {
  channel.onMessage((given) => {
    const message = given as Answer | Question;
    if (message.kind !== "question") return;
    const { id, method, args } = message;
    const answer = (rest: { ok: true; value: unknown } | { ok: false; error: unknown }) => {
      if (rest.ok) return channel.post({ kind: "answer", id, ok: true, value: rest.value } satisfies Answer);
      const { error } = rest;
      const { name, message } = error as Error;
      channel.post({
        kind: "answer",
        id,
        ok: false,
        name,
        message,
        refusal: error instanceof JobRefused ? error.refusal : null,
      } satisfies Answer);
    };
    Promise.resolve()
      .then(() => (methods as Methods)[method]!(...(args as never[])))
      .then(
        (value) => answer({ ok: true, value }),
        (error: unknown) => answer({ ok: false, error }),
      );
  });
}
