import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

const open = new WeakMap<Socket, Set<() => void>>();

/**
 * Tells once when a response is over: finished, or its connection gone. A pipelined response that still waits for its turn
 * on the connection gets no `close` of its own when that ends, so the connections are watched as well, once each.
 */
export function whenOver(socket: Socket, response: ServerResponse, tell: () => void): void {
  let waiting = open.get(socket);
  if (waiting === undefined) {
    const all = new Set<() => void>();
    waiting = all;
    open.set(socket, all);
    socket.once("close", () => { for (const one of all) one(); });
  }
  const mine = waiting;
  const over = () => {
    if (mine.delete(over)) tell();
  };
  mine.add(over);
  response.once("close", over);
}
