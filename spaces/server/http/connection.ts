import type { Socket } from "node:net";

const open = new WeakMap<Socket, (() => void)[]>();

/**
 * Tells when a connection ends. One listener per connection serves all requests on it: what a request listens to itself
 * costs more than a small model, and a response that waits for its turn on the connection gets no `close` of its own.
 *
 * @returns what ends the watch.
 */
export function onConnectionEnd(socket: Socket, tell: () => void): () => void {
  let watchers = open.get(socket);
  if (watchers === undefined) {
    const all: (() => void)[] = [];
    watchers = all;
    open.set(socket, all);
    socket.once("close", () => {
      for (const one of all.splice(0)) one();
    });
  }
  // A list, not a set: a set that is emptied all the time leaves a chain of old tables, which keep each other's content
  // in memory.
  const mine = watchers;
  mine.push(tell);
  return () => {
    if (mine.at(-1) === tell) mine.pop();
    else if (mine.includes(tell)) mine.splice(mine.indexOf(tell), 1);
  };
}
