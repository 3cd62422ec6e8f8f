// Loaded before a step under test: any connection that leaves loopback is refused and written down.
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
  if (!/^(localhost|127\..*|::1)$/.test(host)) {
    appendFileSync(process.env.OUTSIDE_CONNECTIONS, `${host}\n`);
    queueMicrotask(() => this.destroy(new Error(`this test has no network: ${host}`)));
    return this;
  }
  return connect.apply(this, parameters);
};
