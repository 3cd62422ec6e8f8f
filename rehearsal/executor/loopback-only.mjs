// Loaded before every JavaScript step. Refuses connections to other machines, and appends their host names to the file
// in OUTSIDE_CONNECTIONS, if that is set.
import { appendFileSync } from "node:fs";
import { Socket } from "node:net";

const connect = Socket.prototype.connect;
Socket.prototype.connect = function (...parameters) {
  const [options] = Array.isArray(parameters[0]) ? parameters[0] : parameters;
  const host =
    typeof options === "object" && options !== null
      ? options.path === undefined
        ? (options.host ?? "localhost")
        : "localhost"
      : "localhost";
  if (!/^(localhost|127\..*|::1|\[::1\])$/.test(host)) {
    if (process.env.OUTSIDE_CONNECTIONS !== undefined) appendFileSync(process.env.OUTSIDE_CONNECTIONS, `${host}\n`);
    queueMicrotask(() => this.destroy(new Error(`no network beyond this machine: ${host}`)));
    return this;
  }
  return connect.apply(this, parameters);
};
