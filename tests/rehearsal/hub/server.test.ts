import { afterEach, describe, expect, it } from "vitest";
import { commit, downloadFile, listCommits, listFiles, pathsInfo, spaceInfo } from "@huggingface/hub";
import { startHub, type StandInHub } from "../../../rehearsal/hub/server.ts";

// The stand-in is tested with the official client, because that one defines the protocol.
let hub: StandInHub;
afterEach(() => hub.close());
const repo = { type: "space" as const, name: "octo/births" };
async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
const bytes = (length: number) => new Uint8Array(length).map((_, i) => (i * 31) % 251);

async function upload(parentCommit?: string) {
  return commit({
    repo,
    accessToken: hub.options.token,
    hubUrl: hub.url,
    useXet: false,
    title: "a tree",
    ...(parentCommit === undefined ? {} : { parentCommit }),
    operations: [
      { operation: "addOrUpdate", path: "app.txt", content: new Blob(["hello"]) },
      { operation: "addOrUpdate", path: "models/m/model.onnx", content: new Blob([bytes(2500)]) },
    ],
  });
}

describe.each([
  ["basic", 5_000_000],
  ["multipart", 1000],
])("the official client, LFS %s", (_name, multipartBytes) => {
  it("commits, lists, downloads", async () => {
    hub = await startHub("octo/births", { multipartBytes });
    const before = hub.space.repository.head;
    const made = await upload(before);
    expect(made?.commit.oid).toBe(hub.space.repository.head);
    const files = await all(listFiles({ repo, hubUrl: hub.url, recursive: true }));
    expect(files.map(({ path, size }) => [path, size])).toEqual([
      [".gitattributes", expect.any(Number)],
      ["README.md", 20],
      ["app.txt", 5],
      ["models/m/model.onnx", 2500],
    ]);
    const [weights] = await pathsInfo({
      repo,
      hubUrl: hub.url,
      accessToken: hub.options.token,
      paths: ["models/m/model.onnx"],
    });
    expect(weights?.lfs).toMatchObject({ size: 2500 });
    const back = await downloadFile({ repo, hubUrl: hub.url, path: "models/m/model.onnx", xet: false });
    expect(new Uint8Array(await back!.arrayBuffer())).toEqual(bytes(2500));
    expect((await spaceInfo({ name: repo.name, hubUrl: hub.url })).sdk).toBe("docker");
    expect((await all(listCommits({ repo, hubUrl: hub.url }))).map(({ title }) => title)).toEqual([
      "a tree",
      "initial commit",
    ]);
    expect(hub.transcript.every(({ status }) => status === 200 || status === 206)).toBe(true);
  });
});

it("refuses a commit whose parent is not HEAD, and a token that it does not know", async () => {
  hub = await startHub();
  const before = hub.space.repository.head;
  await upload(before);
  await expect(upload(before)).rejects.toMatchObject({ statusCode: 412 });
  hub.options.token = "hf_another";
  await expect(
    commit({ repo, accessToken: "hf_wrong", hubUrl: hub.url, useXet: false, title: "x", operations: [] }),
  ).rejects.toMatchObject({ statusCode: 401 });
});
