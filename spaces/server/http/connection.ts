import type { Socket } from "node:net";

const open = new WeakMap<Socket, (() => void)[]>();

/**
 * Calls back when a connection ends. One listener per connection serves all its requests: a listener per request costs
 * more than a small model, and a response that is queued behind another on its connection gets no `close` event.
 *
 * @returns a function that stops listening.
 */
export function onConnectionEnd(socket: Socket, onEnd: () => void): () => void {
  let watchers = open.get(socket);
  if (watchers === undefined) {
    const all: (() => void)[] = [];
    watchers = all;
    open.set(socket, all);
    socket.once("close", () => {
      for (const one of all.splice(0)) one();
    });
  }
  // A list, because a set that is emptied again and again keeps a chain of old tables in memory.
  const mine = watchers;
  mine.push(onEnd);
  return () => {
    if (mine.at(-1) === onEnd) mine.pop();
    else if (mine.includes(onEnd)) mine.splice(mine.indexOf(onEnd), 1);
  };
}
