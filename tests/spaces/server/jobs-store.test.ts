import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { openSqlite } from "../../../spaces/server/jobs/sqlite.ts";
import { openSqlStore } from "../../../spaces/server/jobs/sql-store.ts";
import { resultBlob, uploadBlob, type JobRow, type JobStore } from "../../../spaces/server/jobs/store.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-store-"));
let store: JobStore;
let files = 0;
beforeEach(async () => {
  await store?.close();
  store = await openSqlStore(openSqlite(join(folder, `${files++}.sqlite`)));
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const ROOM = { ownerBytes: 1000, totalBytes: 1500, queued: 10, ownerQueued: 4 };
const data = Buffer.from("sealed");

async function upload(id: string, owner = "ada", size = 10, expiresAt = 1000) {
  return store.createUpload(
    { id, owner, size, received: 0, contentType: null, name: null, job: null, expiresAt },
    ROOM,
  );
}

async function job(id: string, changes: Partial<JobRow> = {}) {
  const upload10 = `${id}-input`;
  await upload(upload10, changes.owner);
  await store.appendPart(upload10, { start: 0, size: 10, data }, 1000);
  const row: JobRow = {
    id,
    owner: "ada",
    model: "m",
    version: null,
    digest: null,
    state: "queued",
    format: "csv",
    upload: upload10,
    attempts: 0,
    restarts: 0,
    notBefore: 0,
    leaseUntil: 0,
    worker: null,
    totalRows: null,
    doneRows: 0,
    failedRows: 0,
    inputBytes: 10,
    resultBytes: 0,
    notes: data,
    createdAt: 1,
    startedAt: null,
    endedAt: null,
    keepMs: 100,
    expiresAt: 101,
    revision: 1,
    ...changes,
  };
  return store.createJob(row, ROOM);
}
const step = (from: number, start: number) => ({
  from,
  rows: 5,
  failed: 1,
  part: { start, size: 20, data },
  notes: data,
  totalBytes: 1500,
});

describe("the store of jobs", () => {
  it("takes a part only where the upload ends, and never too many bytes", async () => {
    await upload("u");
    expect(await store.appendPart("u", { start: 0, size: 4, data }, 5000)).toBe(4);
    expect(await store.appendPart("u", { start: 0, size: 4, data }, 5000)).toBeNull();
    expect(await store.appendPart("u", { start: 4, size: 7, data }, 5000)).toBeNull();
    expect(await store.appendPart("u", { start: 4, size: 6, data }, 5000)).toBe(10);
    expect((await store.parts(uploadBlob("u"), 0, 9)).map(({ start, size }) => [start, size])).toEqual([
      [0, 4],
      [4, 6],
    ]);
    expect((await store.parts(uploadBlob("u"), 4, 9)).map(({ start }) => start)).toEqual([4]);
    expect(await store.upload("u")).toMatchObject({ received: 10, expiresAt: 5000 });
  });

  it("reserves bytes per owner and for all", async () => {
    expect(await upload("a", "ada", 900)).toBe("ok");
    expect(await upload("b", "ada", 101)).toBe("owner-full");
    expect(await upload("c", "grace", 601)).toBe("full");
    expect(await upload("d", "grace", 600)).toBe("ok");
    await store.deleteUpload("a");
    expect(await upload("e", "ada", 101)).toBe("ok");
  });

  it("gives an upload to one job", async () => {
    expect(await job("j")).toBe("ok");
    expect(await store.createJob({ ...(await store.job("j"))!, id: "k" }, ROOM)).toBe("taken");
    await store.deleteUpload("j-input");
    expect(await store.upload("j-input")).not.toBeNull();
  });

  it("hands out the jobs of whoever has the fewest running, the oldest first", async () => {
    await job("a1", { createdAt: 1 });
    await job("a2", { createdAt: 2 });
    await job("g1", { owner: "grace", createdAt: 3 });
    await job("other", { model: "n", createdAt: 0 });
    await job("later", { notBefore: 900, createdAt: 0 });
    const claim = async () => (await store.claim("w", 100, 200, ["m"]))?.id;
    expect([await claim(), await claim(), await claim(), await claim()]).toEqual(["a1", "g1", "a2", undefined]);
    expect(await store.claim("w", 100, 200, [])).toBeNull();
    // Nobody has heard of its worker since the lease ended.
    expect(await store.claim("x", 201, 300, ["m"])).toMatchObject({ worker: "x", attempts: 2 });
  });

  it("counts only what a job's present worker writes, from where the job stands", async () => {
    await job("j");
    await store.claim("w", 100, 200, ["m"]);
    expect(await store.commit("j", "w", step(0, 0))).toBe("ok");
    expect(await store.commit("j", "w", step(0, 0))).toBe("lost");
    expect(await store.commit("j", "w", step(0, 20))).toBe("lost");
    await store.claim("x", 201, 300, ["m"]);
    expect(await store.commit("j", "w", step(5, 20))).toBe("lost");
    expect(await store.renew("j", "w", 999)).toBe(false);
    expect(await store.finish("j", "w", "failed", data, 300)).toBe(false);
    expect(await store.release("j", "w", 0, false)).toBe(false);
    expect(await store.commit("j", "x", step(5, 20))).toBe("ok");
    expect(await store.job("j")).toMatchObject({ doneRows: 10, failedRows: 2, resultBytes: 40, attempts: 0 });
    expect((await store.parts(resultBlob("j"), 0, 9)).length).toBe(2);
    expect(await store.commit("j", "x", { ...step(10, 40), totalBytes: 50 })).toBe("full");
  });

  it("begins a job again without what another version answered", async () => {
    await job("j");
    await store.claim("w", 100, 200, ["m"]);
    await store.commit("j", "w", step(0, 0));
    await store.begin("j", "w", { version: "2", digest: "d", totalRows: 7, notes: data, restart: true });
    expect(await store.job("j")).toMatchObject({
      doneRows: 0,
      resultBytes: 0,
      restarts: 1,
      version: "2",
      totalRows: 7,
    });
    expect(await store.parts(resultBlob("j"), 0, 9)).toEqual([]);
    expect(await store.commit("j", "w", step(0, 0))).toBe("ok");
  });

  it("deletes the input with the end, all of it with the cancelling, and what has expired", async () => {
    await job("done");
    await store.claim("w", 100, 200, ["m"]);
    await store.commit("done", "w", step(0, 0));
    await store.finish("done", "w", "succeeded", data, 150);
    expect(await store.upload("done-input")).toBeNull();
    expect(await store.job("done")).toMatchObject({ state: "succeeded", endedAt: 150, expiresAt: 250, worker: null });
    expect(await store.cancel("done", 160)).toBe(false);

    await job("stopped");
    await store.claim("w", 100, 200, ["m"]);
    await store.commit("stopped", "w", step(0, 0));
    expect(await store.cancel("stopped", 160)).toBe(true);
    expect(await store.parts(resultBlob("stopped"), 0, 9)).toEqual([]);
    expect(await store.upload("stopped-input")).toBeNull();
    expect(await store.commit("stopped", "w", step(5, 20))).toBe("lost");

    await upload("old", "ada", 10, 200);
    await upload("new", "ada", 10, 900);
    expect((await store.figures()).bytes).toBe(40);
    expect(await store.sweep(249)).toEqual([]);
    expect((await store.uploadsOf("ada")).map(({ id }) => id)).toEqual(["new"]);
    expect((await store.sweep(261)).toSorted()).toEqual(["done", "stopped"]);
    expect(await store.parts(resultBlob("done"), 0, 9)).toEqual([]);
    expect(await store.figures()).toEqual({
      states: { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 },
      oldestQueuedAt: null,
      bytes: 10,
      uploads: 1,
    });
  });

  it("is one process's alone, and hands back what a dead one ran", async () => {
    const path = join(folder, "alone.sqlite");
    const first = await openSqlStore(openSqlite(path));
    expect(() => openSqlite(path)).toThrow("the database of jobs cannot be opened for writing");
    await store.close();
    store = first;
    await job("j");
    await store.claim("w", 100, 9e9, ["m"]);
    await store.close();
    store = await openSqlStore(openSqlite(path));
    expect(await store.job("j")).toMatchObject({ state: "queued", worker: null, attempts: 1 });
  });
});
