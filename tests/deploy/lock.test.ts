import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { createContext } from "../../deploy/context.ts";
import { readSettings } from "../../deploy/hub/settings.ts";
import { rollback } from "../../deploy/rollback.ts";
import { Timeline } from "../../deploy/timeline.ts";
import { startGitHub } from "../../rehearsal/github/seeded/github.ts";
import { fast, tokens } from "./stage.ts";

it("is given back by a roll-back that is cancelled", async ({ onTestFinished }) => {
  const github = await startGitHub();
  onTestFinished(() => github.close());
  const locks = () => Object.keys(github.state.git.refs).filter((ref) => ref.startsWith("refs/sluice/lock/"));
  const cancelled = new AbortController();
  const settings = readSettings(fast, "the test");
  const silent = { line: () => {}, group: () => {}, endGroup: () => {} };
  let held: string[] = [];
  const context = createContext(
    {
      endpoint: "http://hub.invalid",
      spaceName: "octo/births",
      credentials: { kind: "HF_TOKEN", token: () => Promise.resolve(tokens.hub) },
      weights: null,
      github: { apiUrl: github.url, repository: { owner: "octo", repo: "models" }, token: tokens.github },
      settings,
      deps: {
        // The job is cancelled at the first question to the Hub, which comes after the lock was taken.
        fetch: (input, init) => {
          if (!String(input).startsWith("http://hub.invalid")) return fetch(input, init);
          held = locks();
          cancelled.abort();
          return Promise.reject(new TypeError("fetch failed"));
        },
        sleep: (ms, signal) => sleep(ms, undefined, { signal: signal ?? new AbortController().signal }),
        random: () => 0.5,
        note: () => {},
        now: Date.now,
        monotonic: () => performance.now(),
      },
      mark: "a mark",
      timeline: new Timeline(silent, () => performance.now()),
      environment: "births-production",
      commit: "1".repeat(40),
      actor: "octo",
      reason: "a story",
      logUrl: null,
      run: null,
    },
    cancelled.signal,
  );

  await expect(rollback("births", null, context)).rejects.toThrow("aborted");
  expect(held).toEqual(["refs/sluice/lock/births-production"]);
  expect(locks()).toEqual([]);
});
