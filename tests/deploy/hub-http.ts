import { Http, type HttpDeps } from "../../deploy/hub/http.ts";
import { readSettings, type Settings } from "../../deploy/hub/settings.ts";

/** A clock that only pauses move, so that a test of minutes takes a moment. */
type Clock = { now: number; pauses: number[] };

/** What a part of a deployment needs besides the network: a clock that pauses move, no chance, and its notes kept. */
export function quietDeps(send: typeof fetch = fetch, given = "") {
  const clock: Clock = { now: 0, pauses: [] };
  const notes: string[] = [];
  const abort = new AbortController();
  const settings: Settings = readSettings(`retry-wait=0.001 ${given}`, "the test");
  const deps: HttpDeps = {
    fetch: send,
    monotonic: () => clock.now,
    sleep: (ms, signal) => {
      signal?.throwIfAborted();
      clock.now += ms;
      clock.pauses.push(ms);
      return Promise.resolve();
    },
    random: () => 0.5,
    note: (text) => {
      notes.push(text);
    },
    signal: abort.signal,
  };
  return { clock, notes, abort, settings, deps, http: new Http(settings, deps) };
}
