// Loaded before a server or a bot of a rehearsal whose story takes months. Date shows the true time plus as many
// milliseconds as the file in REHEARSAL_CLOCK says; timers run as ever.
import { readFileSync } from "node:fs";

const file = process.env.REHEARSAL_CLOCK;
if (file !== undefined) {
  const True = Date;
  let shiftMs = 0;
  let readAt = -Infinity;
  const now = () => {
    const at = performance.now();
    if (at - readAt > 1) {
      readAt = at;
      shiftMs = Number(readFileSync(file, "utf8"));
    }
    return True.now() + shiftMs;
  };
  globalThis.Date = new Proxy(True, {
    construct: (target, values, newTarget) =>
      Reflect.construct(target, values.length === 0 ? [now()] : values, newTarget === Date ? target : newTarget),
    apply: () => new True(now()).toString(),
    get: (target, name, receiver) => (name === "now" ? now : Reflect.get(target, name, receiver)),
  });
}
