import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { addProblems } from "../../../spaces/server/jobs/problem-groups.ts";
import { tableHeader, tableRows } from "../../../spaces/server/jobs/result-table.ts";
import { createSealer, KeyLost } from "../../../spaces/server/jobs/seal.ts";
import { partPlace, sealedFile } from "../../../spaces/server/jobs/sealed-file.ts";
import { temporaryFolder } from "../../../spaces/server/jobs/temporary-folder.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-parts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [first, second] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];

describe("sealed bytes", () => {
  it("are opened by any key of the ring, at their own place, unchanged", () => {
    const old = createSealer(first.toString("hex"));
    const both = createSealer(`${second.toString("base64")}, ${first.toString("base64")}`);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.string(), (bytes, place) => {
        const sealed = old.seal(bytes, place);
        expect(Buffer.compare(both.open(sealed, place), bytes)).toBe(0);
        expect(() => both.open(sealed, `${place}x`)).toThrow(KeyLost);
        const newer = both.seal(bytes, place);
        expect(() => old.open(newer, place)).toThrow(KeyLost);
        expect(newer.equals(both.seal(bytes, place))).toBe(false);
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  it("are refused when one of them was changed or cut off", () => {
    const sealer = createSealer(first.toString("hex"));
    const sealed = sealer.seal(Buffer.from("a text"), "here");
    for (let i = 0; i < sealed.length; i++) {
      const changed = Buffer.from(sealed);
      changed[i]! ^= 1;
      expect(() => sealer.open(changed, "here")).toThrow(KeyLost);
      expect(() => sealer.open(sealed.subarray(0, i), "here")).toThrow(KeyLost);
    }
  });

  it.each(["short", "x".repeat(64), `${first.toString("hex")},`, first.toString("base64url").slice(1)])(
    "need a key of 32 bytes, and never show what came instead (%j)",
    (given) => {
      let message = "";
      try {
        createSealer(given);
      } catch (error) {
        message = JSON.stringify(error) + String(error);
      }
      expect(message).toContain("SLUICE_JOBS_KEY");
      expect(message).not.toContain(given);
    },
  );

  it("give any range of a file that is kept in pieces", async () => {
    const sealer = createSealer(undefined);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 12 }),
        fc.array(fc.tuple(fc.nat(500), fc.nat(500)), { maxLength: 8 }),
        async (pieces, ranges) => {
          const whole = Buffer.concat(pieces);
          let start = 0;
          const parts = pieces.map((piece) => {
            const at = start;
            start += piece.length;
            return { start: at, size: piece.length, data: sealer.seal(piece, partPlace("blob", at)) };
          });
          const file = sealedFile(
            { parts: async (_, from, limit) => parts.filter((part) => part.start + part.size > from).slice(0, limit) },
            sealer,
            "blob",
            whole.length,
          );
          for (const [a, b] of ranges) {
            const [from, to] = [Math.min(a, b, whole.length), Math.min(Math.max(a, b), whole.length)];
            expect(Buffer.compare(await file.slice(from, to), whole.subarray(from, to))).toBe(0);
          }
        },
      ),
      { numRuns: 200, seed: 2 },
    );
  });
});

describe("problems of rows", () => {
  it("are grouped by code and words, with the first rows; there are never more than 21 groups", () => {
    const problems = Array.from({ length: 1000 }, (_, row) => ({ row, code: "bad-row", detail: `field ${row % 40}` }));
    const once = addProblems([], problems);
    let stepwise: ReturnType<typeof addProblems> = [];
    for (let at = 0; at < 1000; at += 7) stepwise = addProblems(stepwise, problems.slice(at, at + 7));
    expect(stepwise).toEqual(once);
    expect(once).toHaveLength(21);
    expect(once[0]).toEqual({ code: "bad-row", problem: "field 0", rows: 25, first: [0, 40, 80, 120, 160] });
    expect(once.reduce((sum, { rows }) => sum + rows, 0)).toBe(1000);
  });
});

describe("a result as a table", () => {
  it("has a column per part of a head, also of one whose name has an underscore", () => {
    const lines = [
      {
        row: 0,
        id: 'a "b"',
        heads: { my_head: { kind: "series", values: [1, 2.5], quantiles: [] } },
        reasons: [{ rule: "r", reason: "x" }],
      },
      { row: 1, id: "c,d", error: { status: 503, code: "remote-busy", detail: "two\nlines" } },
    ];
    const columns = ["my_head_values", "my_head_quantiles"];
    expect(tableHeader(columns) + tableRows(lines.map((line) => `${JSON.stringify(line)}\n`).join(""), columns)).toBe(
      [
        "row,id,outcome,my_head_values,my_head_quantiles,reasons,error_status,error_code,error,notes",
        '0,"a ""b""",predicted,"[1,2.5]",[],r: x,,,,',
        '1,"c,d",failed,,,,503,remote-busy,"two\nlines",',
        "",
      ].join("\n"),
    );
  });
});

describe("the temporary folder of a process", () => {
  it("takes away those of processes that are no more, and nothing else", () => {
    for (const name of ["sluice-jobs-111-a", "sluice-jobs-222-b", "other-111-c"]) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, "jobs.sqlite"), "x");
    }
    const made = temporaryFolder(folder, (pid) => pid === 222);
    expect(existsSync(join(folder, "sluice-jobs-111-a"))).toBe(false);
    expect(existsSync(join(folder, "sluice-jobs-222-b"))).toBe(true);
    expect(existsSync(join(folder, "other-111-c"))).toBe(true);
    expect(made).toMatch(/sluice-jobs-\d+-\w+$/);
  });
});
