import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { onConnectionEnd } from "./connection.ts";

/** Calls back once when a response has ended: it is finished, or its connection was closed. */
export function onResponseEnd(socket: Socket, response: ServerResponse, onEnd: () => void): void {
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    forget();
    onEnd();
  };
  const forget = onConnectionEnd(socket, end);
  response.once("close", end);
}
