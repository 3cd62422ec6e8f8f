import { beforeAll, describe, expect, it } from "vitest";
import { ARM_HEADER, CONTROL_HEADER, VERSION_HEADER } from "../../../../models/core/rollout/plan.ts";
import { gatedModel, riskRows } from "../../../watch/live-model.ts";
import { besideFolder, key, serveBeside, withThreshold } from "./beside.ts";

let dir = "";
beforeAll(async () => {
  ({ dir } = await gatedModel());
}, 60_000);

const quick = {
  key: { header: "x-user" },
  metrics: { labels: { margin: 0.1 }, agreement: { margin: 0.4 }, errors: { margin: 0.05 } },
  minimum: { rows: 20, recent: 0 },
};

describe("a candidate beside the live version", () => {
  it("gets nothing until a controller begins, and answers nothing in the shadow", async () => {
    const server = await serveBeside(besideFolder(dir, withThreshold(0.9), { ...quick, steps: ["shadow", "50 %"] }));
    const before = await server.predict({ a: 1, b: 0.01, c: 0 });
    expect(before.headers.get(VERSION_HEADER)).toBe("1.0.0");
    expect((await server.status()).decision).toMatchObject({ action: "WAIT", verdict: "INCONCLUSIVE" });
    await server.begin(0);
    const rows = riskRows(60, 5);
    const { by } = await server.traffic(rows);
    expect(by).toEqual({ "1.0.0": 60 });
    const status = await server.status();
    expect(status.shadow.compared + status.shadow.shed).toBe(60);
    expect(status.rows.candidate).toBe(status.shadow.compared);
    const labels = status.evidence.find(({ phase, metric }) => phase === "shadow" && metric === "labels")!;
    expect(labels.differences).toBe(status.shadow.compared);
    const agreement = status.evidence.find(({ metric }) => metric === "agreement")!;
    expect(agreement.mean).toBeLessThan(0);
    expect(JSON.stringify(status)).not.toContain("user 1");
  });

  it("goes on from a shadow by evidence, and from share to share by rows; the last share by evidence", async () => {
    const server = await serveBeside(
      besideFolder(dir, withThreshold(0.51), { ...quick, steps: ["shadow", "20 %", "50 %"] }),
    );
    await server.begin(0);
    const shadowed = await server.traffic(riskRows(600, 6), { stopAt: ({ decision }) => decision.action === "NEXT" });
    expect((await server.status()).decision).toMatchObject({ action: "NEXT", verdict: "INCONCLUSIVE" });
    await server.begin(1);
    const some = await server.traffic(riskRows(400, 7), { stopAt: ({ decision }) => decision.action === "NEXT" });
    expect(some.by["2.0.0"]).toBe(20);
    await server.begin(2);
    const half = await server.traffic(riskRows(1500, 8), { stopAt: ({ decision }) => decision.action === "PROMOTE" });
    const status = await server.status();
    expect(status.decision).toMatchObject({ action: "PROMOTE", verdict: "PASS" });
    expect(status.units.candidate / (status.units.candidate + status.units.baseline)).toBeCloseTo(0.5, 0);
    expect([shadowed.failed, some.failed, half.failed]).toEqual([0, 0, 0]);
  }, 60_000);

  it("that is worse is ended by the server itself, with the answer that proves it", async () => {
    const server = await serveBeside(
      besideFolder(dir, withThreshold(0.97), { ...quick, metrics: { labels: { margin: 0.02 } }, steps: ["50 %"] }),
    );
    await server.begin(0);
    const { by } = await server.traffic(riskRows(3000, 9));
    const status = await server.status();
    expect(status.decision).toMatchObject({ action: "ABORT", verdict: "FAIL", metric: "labels" });
    expect(status.candidate.state).toBe("closed");
    expect(by["2.0.0"]).toBeLessThan(1000);
    const after = await Promise.all(
      Array.from({ length: 20 }, (_, i) => server.predict({ a: 1, b: 0, c: 0 }, { "x-user": `late ${i}` })),
    );
    expect(after.map((one) => one.headers.get(VERSION_HEADER))).toEqual(Array.from({ length: 20 }, () => "1.0.0"));
    expect((await server.command({ rollout: "roll-1", from: 0, step: 0 })).status).toBe(409);
  }, 60_000);

  it("that cannot read what the live version reads costs nobody an answer, and is ended by errors", async () => {
    const narrow = {
      preprocess: {
        row: {
          kind: "tabular" as const,
          columns: {
            a: { type: "number" as const, min: -2, max: 2 },
            b: { type: "number" as const },
            c: { type: "number" as const },
          },
          features: ["a", "b", "c"].map((column) => ({ column, encode: "number" as const })),
        },
      },
    };
    const server = await serveBeside(besideFolder(dir, narrow, { ...quick, metrics: {}, steps: ["50 %"] }));
    await server.begin(0);
    const { failed, by } = await server.traffic(riskRows(400, 10));
    expect(failed).toBe(0);
    expect((await server.status()).decision).toMatchObject({ action: "ABORT", metric: "errors" });
    expect(by["2.0.0"]).toBeGreaterThan(0);
  }, 30_000);

  it("keeps a user with one version, and asks for a version are not evidence", async () => {
    const server = await serveBeside(besideFolder(dir, {}, { ...quick, steps: ["30 %"] }));
    await server.begin(0);
    const version = async (user: string, headers: Record<string, string> = {}) =>
      (await server.predict({ a: 1, b: 0, c: 0 }, { "x-user": user, ...headers })).headers.get(VERSION_HEADER);
    const first = await Promise.all(Array.from({ length: 40 }, (_, i) => version(`u${i}`)));
    const second = await Promise.all(Array.from({ length: 40 }, (_, i) => version(`u${i}`)));
    expect(second).toEqual(first);
    expect(new Set(first)).toEqual(new Set(["1.0.0", "2.0.0"]));
    const before = await server.status();
    expect(before.evidence.find(({ metric }) => metric === "errors")!.differences).toBeLessThanOrEqual(
      before.units.candidate,
    );
    expect(await version("u0", { [ARM_HEADER]: "baseline" })).toBe("1.0.0");
    expect(await version("u0", { [ARM_HEADER]: "candidate", [CONTROL_HEADER]: key })).toBe("2.0.0");
    const refused = await server.predict({ a: 1, b: 0, c: 0 }, { [ARM_HEADER]: "candidate" });
    expect(refused.status).toBe(401);
    expect((await server.status()).rows).toEqual(before.rows);
  });

  it("takes step and evidence back after a restart, and only its own", async () => {
    const folder = besideFolder(dir, {}, { ...quick, steps: ["shadow", "50 %"] });
    const first = await serveBeside(folder);
    await first.begin(0);
    await first.traffic(riskRows(40, 11));
    const whole = await first.status({ [CONTROL_HEADER]: key });
    expect(whole.state).toBeDefined();
    expect((await first.status()).state).toBeUndefined();
    await first.stop();

    const second = await serveBeside(folder);
    const fresh = await second.status();
    expect(fresh.instance).not.toBe(whole.instance);
    expect(fresh.decision.action).toBe("WAIT");
    const other = await second.command({
      rollout: "roll-1",
      from: -1,
      step: 0,
      state: { ...(whole.state as object), rollout: "x" },
    });
    expect(other.status).toBe(422);
    const back = await second.begin(0, whole.state);
    expect(back.evidence).toEqual(whole.evidence);
    expect(back.rows.candidate).toBe(whole.rows.candidate);
    expect(back.handedBack!.differences).toBe(whole.evidence.reduce((sum, one) => sum + one.differences, 0));
  }, 30_000);

  it("is paused on low traffic, and ends undecided at the cap", async () => {
    const paused = await serveBeside(
      besideFolder(dir, {}, { ...quick, steps: ["50 %"], minimum: { rows: 5, recent: 5, minutes: 0.01 } }),
    );
    await paused.begin(0);
    await new Promise((resolve) => {
      setTimeout(resolve, 800);
    });
    expect((await paused.status()).decision).toMatchObject({ action: "PAUSE", verdict: "INCONCLUSIVE" });
    const capped = await serveBeside(besideFolder(dir, {}, { ...quick, steps: ["50 %"], cap: { rows: 10 } }));
    await capped.begin(0);
    await capped.traffic(riskRows(60, 12));
    expect((await capped.status()).decision).toMatchObject({ action: "KEEP_BASELINE", verdict: "INCONCLUSIVE" });
  }, 30_000);

  it("is refused with words where memory has no room, and where it is another model", async () => {
    const small = await serveBeside(besideFolder(dir, {}, { ...quick, memoryMb: 10 }));
    const { candidate, decision } = await small.status();
    expect(candidate).toMatchObject({ state: "refused" });
    expect(candidate.reason).toMatch(/needs about \d+ MiB beside the \d+ MiB in use, more than the bound of 10 MiB/);
    expect(decision).toMatchObject({ action: "KEEP_BASELINE", verdict: "INCONCLUSIVE" });
    expect((await small.predict({ a: 1, b: 0, c: 0 })).status).toBe(200);
    const other = await serveBeside(besideFolder(dir, { version: "3.0.0" }, quick));
    expect((await other.status()).candidate.reason).toContain("holds risk 3.0.0, not risk 2.0.0");
  });

  it("is controlled by nobody without the key, nor at another step", async () => {
    const server = await serveBeside(besideFolder(dir, {}, quick));
    const begin = { rollout: "roll-1", from: -1, step: 0 };
    expect((await server.command(begin, {})).status).toBe(401);
    expect((await server.command(begin, { [CONTROL_HEADER]: "0".repeat(64) })).status).toBe(401);
    expect((await server.command({ ...begin, from: 2 })).status).toBe(409);
    expect((await server.command({ ...begin, step: 9 })).status).toBe(422);
    expect((await server.command({ ...begin, rollout: "other" })).status).toBe(409);
    expect((await server.command({ rollout: "roll-1" })).status).toBe(422);
    const ended = await server.command({ rollout: "roll-1", end: "ABORT", verdict: "FAIL", reason: "omar: enough" });
    expect(((await ended.json()) as { decision: object }).decision).toMatchObject({
      action: "ABORT",
      reason: "omar: enough",
    });
  });

  it("is judged by business events as well, against those who got none", async () => {
    const server = await serveBeside(
      besideFolder(
        dir,
        {},
        {
          ...quick,
          steps: ["50 %"],
          metrics: { events: { click: { margin: 0.1, withinMinutes: 0.005 } } },
        },
      ),
    );
    await server.begin(0);
    for (const [i, { row }] of riskRows(80, 13).entries()) {
      const answer = (await (await server.predict(row, { "x-user": `user ${i}` })).json()) as {
        predictionId: string;
        version: string;
      };
      // Those of the candidate never click.
      if (answer.version === "1.0.0")
        await fetch(`${server.url}/models/risk/feedback`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ predictionId: answer.predictionId, event: "click" }),
        });
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 1500);
    });
    expect((await server.status()).decision).toMatchObject({ action: "ABORT", metric: "event click" });
  });
});
