import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { onConnectionEnd } from "./connection.ts";

/** Tells once when a response is over: finished, or its connection gone. */
export function onResponseEnd(socket: Socket, response: ServerResponse, tell: () => void): void {
  let told = false;
  const over = () => {
    if (told) return;
    told = true;
    forget();
    tell();
  };
  const forget = onConnectionEnd(socket, over);
  response.once("close", over);
}
