import { expect, it } from "vitest";
import { createContext } from "../../deploy/context.ts";
import { fallBack, undoneBy } from "../../deploy/fall-back.ts";
import { treeFile } from "../../deploy/bundle/tree.ts";
import { readSettings } from "../../deploy/hub/settings.ts";
import type { Verified } from "../../deploy/record/deployments.ts";
import { Timeline } from "../../deploy/timeline.ts";
import { quietDeps } from "./hub-http.ts";

const sha = (letter: string) => letter.repeat(40);
const [failed, good, older, theirs, restored] = ["a", "b", "c", "d", "e"].map(sha) as [
  string,
  string,
  string,
  string,
  string,
];
const verified = (commit: string, version: string): Verified => ({ commit, model: "m", version, source: "a record" });

type Files = Record<string, string>;
const listed = (files: Files) =>
  Object.entries(files).map(([path, text]) => {
    const { gitOid, sha256, size } = treeFile(path, Buffer.from(text));
    return path.endsWith(".onnx")
      ? { type: "file", path, size: 100, oid: `pointer of ${text}`, lfs: { oid: sha256, size } }
      : { type: "file", path, size, oid: gitOid };
  });

/** A Hub whose main is at `head`, with these trees by revision. What is committed becomes the restored revision. */
async function returned(
  candidates: readonly Verified[],
  trees: Record<string, Files>,
  {
    head = failed,
    messages = {} as Record<string, string>,
    refuses = null as number | null,
    spoils = (bytes: string) => bytes,
  } = {},
) {
  let main = head;
  let lines: { key: string; value: Record<string, unknown> }[] = [];
  const { deps, clock } = quietDeps(async (input, init) => {
    const url = new URL(String(input));
    const [, revision = "", path = ""] = /\/(?:tree|resolve)\/([^/]+)\/?(.*)$/.exec(url.pathname) ?? [];
    if (init?.method === "POST") {
      if (refuses !== null) {
        main = theirs;
        return Response.json({ error: "no" }, { status: refuses });
      }
      lines = (await new Response(init.body).text()).split("\n").map((line) => JSON.parse(line) as never);
      main = restored;
      return Response.json({ commitOid: restored });
    }
    if (url.pathname.includes("/tree/")) return Response.json(listed(trees[revision] ?? { "theirs.txt": "by hand" }));
    if (url.pathname.includes("/resolve/")) {
      const text = trees[revision]?.[path];
      return text === undefined ? new Response("", { status: 404 }) : new Response(spoils(text));
    }
    if (url.pathname.includes("/commits/"))
      return Response.json([main, failed].map((id) => ({ id, title: "t", message: messages[id] ?? "" })));
    return Response.json({ id: "o/m", sha: main });
  });
  const context = createContext(
    {
      endpoint: "http://hub.invalid",
      spaceName: "o/m",
      credentials: { kind: "HF_TOKEN", token: () => Promise.resolve("hf_x") },
      weights: null,
      github: null,
      settings: readSettings("retry-wait=1 retries=0", "the test"),
      deps: { ...deps, now: () => 0 },
      mark: "[a mark]",
      timeline: new Timeline({ line: () => {}, group: () => {}, endGroup: () => {} }, () => clock.now),
      environment: "m-production",
      commit: null,
      actor: "octo",
      reason: "",
      logUrl: null,
      run: null,
    },
    new AbortController().signal,
  );
  const found = await fallBack(context, failed, candidates, false, false).catch((error: unknown) => error as Error);
  return { found, lines };
}

const now: Files = { "README.md": "new", "model.onnx": "new weights", "extra.txt": "x", ".gitattributes": "1" };
const before: Files = { "README.md": "old", "model.onnx": "old weights", "same.txt": "s", ".gitattributes": "2" };

it("puts the last proved tree back: large files by name, small ones with their bytes, the rest removed", async () => {
  const { found, lines } = await returned([verified(good, "1.0.0"), verified(older, "0.9.0")], {
    [failed]: { ...now, "same.txt": "s" },
    [good]: before,
    [older]: { "README.md": "oldest" },
  });
  expect(found).toMatchObject({ done: false, kind: "unproved", to: { version: "1.0.0" }, revision: restored });
  expect(lines).toEqual([
    {
      key: "header",
      value: {
        summary: "Restore m 1.0.0",
        description: `The tree of ${good}, proved before. Undoes ${failed}. [[a mark] back]`,
        parentCommit: failed,
      },
    },
    {
      key: "lfsFile",
      value: { path: "model.onnx", algo: "sha256", oid: treeFile("x", Buffer.from("old weights")).sha256, size: 11 },
    },
    { key: "file", value: { path: "README.md", content: Buffer.from("old").toString("base64"), encoding: "base64" } },
    { key: "deletedFile", value: { path: "extra.txt" } },
  ]);
});

it("passes over what failed itself and what has the same tree", async () => {
  const { found, lines } = await returned(
    [verified(failed, "2.0.0"), verified(good, "1.9.0"), verified(older, "1.0.0")],
    {
      [failed]: now,
      [good]: { ...now, ".gitattributes": "another" },
      [older]: before,
    },
  );
  expect(found).toMatchObject({ to: { version: "1.0.0" } });
  expect(lines[0]?.value["summary"]).toBe("Restore m 1.0.0");
});

it("has nothing to go back to when nothing else was proved", async () => {
  const { found, lines } = await returned([verified(failed, "2.0.0")], { [failed]: now });
  expect(found).toMatchObject({ done: false, kind: "nothing", to: null });
  expect(lines).toEqual([]);
});

it("leaves somebody else's commit alone", async () => {
  const { found, lines } = await returned(
    [verified(good, "1.0.0")],
    { [theirs]: before, [good]: before },
    { head: theirs },
  );
  expect(found).toMatchObject({ done: false, kind: "overtaken", to: null });
  expect(lines).toEqual([]);
});

it("knows a restoration that an earlier attempt made by what it undoes and what it holds", async () => {
  const attempt = async (message: string, holds: Files) =>
    (
      await returned(
        [verified(good, "1.0.0")],
        { [restored]: holds, [good]: before },
        { head: restored, messages: { [restored]: message } },
      )
    ).found;
  expect(await attempt(`Undoes ${failed}.`, before)).toMatchObject({
    kind: "unproved",
    to: { version: "1.0.0" },
    revision: restored,
  });
  expect(await attempt(`Undoes ${older}.`, before)).toMatchObject({ kind: "overtaken" });
  expect(await attempt(`Undoes ${failed}.`, now)).toMatchObject({ kind: "overtaken" });
});

it("does not undo a commit that comes while it restores", async () => {
  const { found } = await returned([verified(good, "1.0.0")], { [failed]: now, [good]: before }, { refuses: 412 });
  expect(found).toMatchObject({ done: false, kind: "overtaken", to: null, revision: null });
});

it("commits no bytes that are not those of the listing", async () => {
  const { found, lines } = await returned(
    [verified(good, "1.0.0")],
    { [failed]: now, [good]: before },
    { spoils: (text) => `${text}!` },
  );
  expect((found as Error).message).toContain("is not what its listing names");
  expect(lines).toEqual([]);
});

it("what a commit undoes stands in its description", () => {
  expect(undoneBy(`why. Undoes ${failed}. [mark]`)).toBe(failed);
  expect([undoneBy(""), undoneBy("Undoes everything."), undoneBy(`Undoes ${failed}`)]).toEqual([null, null, null]);
});
