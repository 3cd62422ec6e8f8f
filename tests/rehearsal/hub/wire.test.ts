import { describe, expect, it } from "vitest";
import type { Exchange } from "../../../rehearsal/hub/server.ts";
import { hubViolations } from "../../../rehearsal/hub/wire.ts";

const request = (change: Partial<Exchange>): Exchange => ({
  method: "GET",
  path: "/api/spaces/acme/mood/runtime",
  query: "",
  authorization: "Bearer hf_abc",
  contentType: null,
  body: Buffer.alloc(0),
  status: 200,
  atMs: 0,
  ...change,
});
const header = { key: "header", value: { summary: "Deploy", parentCommit: "a".repeat(40) } };
const commit = (lines: readonly unknown[]) =>
  request({
    method: "POST",
    path: "/api/spaces/acme/mood/commit/main",
    contentType: "application/x-ndjson",
    body: Buffer.from(lines.map((one) => JSON.stringify(one)).join("\n")),
  });
const file = { key: "file", value: { path: "README.md", content: "YQ==", encoding: "base64" } };

describe("the Hub's wire table", () => {
  it.each([
    ["the runtime", request({})],
    [
      "a tree",
      request({ path: `/api/spaces/acme/mood/tree/${"b".repeat(40)}`, query: "?recursive=true&expand=false" }),
    ],
    [
      "a commit",
      commit([
        header,
        file,
        { key: "lfsFile", value: { path: "model.onnx", algo: "sha256", oid: "c".repeat(64), size: 3 } },
        { key: "deletedFile", value: { path: "old.txt" } },
      ]),
    ],
    [
      "a file of a model repository",
      request({ path: `/acme/weights/resolve/${"b".repeat(40)}/a/model.onnx`, authorization: null }),
    ],
    [
      "an upload",
      request({ method: "PUT", path: "/lfs-upload/0aff", authorization: null, body: Buffer.from("bytes") }),
    ],
  ])("takes %s", (_, one) => {
    expect(hubViolations([one])).toEqual([]);
  });

  it.each([
    ["a call that does not exist", request({ path: "/api/spaces/acme/mood/revert" }), "the Hub has no such call"],
    ["two slashes", request({ path: "//api/spaces/acme/mood/runtime" }), "the Hub has no such call"],
    ["a query that nobody reads", request({ query: "?fast=1" }), "query"],
    ["a commit without a header", commit([file]), "one header, in the first line"],
    ["a path twice", commit([header, file, file]), "every path once"],
    ["a path outside", commit([header, { ...file, value: { ...file.value, path: "../x" } }]), "inside the repository"],
    [
      "a commit as plain JSON",
      { ...commit([header]), contentType: "application/json" },
      "content-type application/json",
    ],
    ["a commit without a token", { ...commit([header]), authorization: null }, "no token"],
    [
      "a token to a signed URL",
      request({ method: "PUT", path: "/lfs-upload/0aff", body: Buffer.from("x") }),
      "a token goes where none belongs",
    ],
    ["another service's token", request({ authorization: "Bearer ghs_abc" }), "not a token of the Hub"],
    [
      "too many files at once",
      request({
        method: "POST",
        path: "/api/spaces/acme/mood/preupload/main",
        contentType: "application/json",
        body: Buffer.from(
          JSON.stringify({
            files: Array.from({ length: 101 }, (_, i) => ({ path: `f${i}`, size: 1, sample: "YQ==" })),
          }),
        ),
      }),
      "body files",
    ],
  ])("refuses %s", (_, one, why) => {
    expect(hubViolations([one]).join("\n")).toContain(why);
  });
});
