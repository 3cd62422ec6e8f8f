import { describe, expect, it } from "vitest";
import { parsePayload, readDeployedModel } from "../../github/registry/deployment.ts";
import { lockRef, readLockNote, writeLockNote } from "../../github/registry/lock.ts";
import { readRelease, releaseMessage } from "../../github/registry/release.ts";
import { recordedVerdict } from "../../github/registry/verdict.ts";
import { verdictWord } from "../../eval/schema/verdict.ts";

describe("records", () => {
  it("reads deployments of several forms, and none where there is none", () => {
    const right = { model: "mood", version: "1.0.0", sha256: "abc", verdict: "PASS" };
    expect(readDeployedModel(right)).toEqual(right);
    expect(readDeployedModel(JSON.stringify(right))).toEqual(right);
    expect(readDeployedModel({ model: { id: "mood", version: "1.0.0", sha256: "abc" }, verdictSha256: "d" })).toEqual(
      right,
    );
    expect(readDeployedModel({ ...right, verdict: "GREEN" })).toEqual({ ...right, verdict: null });
    for (const none of [{}, "", "x", null, 7, { model: "mood" }, { model: {} }])
      expect(readDeployedModel(none)).toBeNull();
  });

  it("reads the record of a release out of a tag's message", () => {
    expect(
      readRelease(
        `mood 1.0.0\n\n${JSON.stringify({
          model: { id: "mood", version: "1.0.0" },
          verdict: { verdict: "PASS", sha256: "x" },
          metrics: [
            { metric: "auroc", slice: "source=a", value: 1 },
            { metric: "auroc", slice: "all", value: 0.9 },
          ],
        })}\n-----`,
      ),
    ).toMatchObject({ model: "mood", verdict: "PASS", metrics: [{ metric: "auroc", value: 0.9, interval: null }] });
    for (const none of ["", "words", "{", "{}", "}{"]) expect(readRelease(none)).toBeNull();
  });

  it("names a release in one line before its record, and reads the record back", () => {
    const record = JSON.stringify({ model: { id: "mood", version: "1.0.0", sha256: "abc" }, verdict: "PASS" }, null, 1);
    const message = releaseMessage("mood", "1.0.0", record, "c".repeat(40));
    expect(message.split("\n")[0]).toBe("mood 1.0.0");
    expect(readRelease(message)).toMatchObject({ model: "mood", version: "1.0.0", sha256: "abc", verdict: "PASS" });
    expect(readRelease(message)?.commit).toBe("c".repeat(40));
    expect(readRelease(`mood 1.0.0\n\n${record}`)?.commit).toBeNull();
  });

  it("takes a Deployment for one of ours only with its whole payload", () => {
    const payload = {
      schemaVersion: 1,
      kind: "deploy",
      space: "octo/mood",
      spaceCommit: "c",
      model: { id: "mood", version: "1.0.0", sha256: "abc" },
      verdictSha256: "d",
      reason: "",
      actor: "ada",
    };
    expect(parsePayload(payload)).toEqual(payload);
    expect(parsePayload(JSON.stringify(payload))).toEqual(payload);
    for (const [name] of Object.entries(payload)) expect(parsePayload({ ...payload, [name]: undefined })).toBeNull();
    for (const none of [null, "", "{", 7, []]) expect(parsePayload(none)).toBeNull();
  });

  it("keeps a lock's note, with and without a request of the bot", () => {
    const note = { holder: "ada", reason: "incident 12", at: "2026-11-21T09:00:00Z", run: null, request: null };
    const run = { id: "7", attempt: 2, url: "https://example.org/7" };
    for (const one of [note, { ...note, run }, { ...note, request: "r1" }])
      expect(readLockNote(writeLockNote(one))).toEqual(one);
    expect(JSON.parse(writeLockNote(note))).toEqual({
      schemaVersion: 1,
      holder: "ada",
      reason: "incident 12",
      at: note.at,
      run: null,
    });
    expect(readLockNote(JSON.stringify({ ...note, run: "yesterday's" }))).toMatchObject({ holder: "ada", run: null });
    for (const none of ["", "words", "{}", '{"holder":"ada"}']) expect(readLockNote(none)).toBeNull();
    expect(lockRef("mood/a b")).toBe("refs/sluice/lock/mood-a-b");
  });

  it("knows the very words that a verdict has", () => {
    for (const word of verdictWord.options) expect(recordedVerdict.parse(word)).toBe(word);
    expect(recordedVerdict.unwrap().unwrap().options).toEqual(verdictWord.options);
    expect(recordedVerdict.parse("SPLENDID")).toBeNull();
  });
});
