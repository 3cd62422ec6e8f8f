import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { fetchArtifact, parseHubLocation } from "../../../models/core/artifact/artifact.ts";
import { cachedContent } from "../../../models/core/artifact/cache-dir.ts";
import { fixture, offline, refusal, sha256, temporaryFolder } from "./build.ts";

let dir: string;
const linear = fixture("linear.onnx");
const artifact = (path: string, digest = sha256(linear), externalData: { path: string; sha256: string }[] = []) => ({
  path,
  sha256: digest,
  externalData,
});

beforeEach(() => {
  const root = temporaryFolder();
  dir = join(root, "model");
  mkdirSync(join(dir, "sub"), { recursive: true });
  writeFileSync(join(dir, "model.onnx"), linear);
  writeFileSync(join(root, "outside.onnx"), linear);
});

describe("an artifact beside its manifest", () => {
  it("is read and verified", async () => {
    const model = await fetchArtifact(artifact("model.onnx"), dir, offline);
    expect(model.sha256).toBe(sha256(linear));
    expect(model.totalBytes).toBe(linear.length);
  });

  it("is read together with the external data beside it", async () => {
    writeFileSync(join(dir, "sub/external.onnx"), fixture("external.onnx"));
    writeFileSync(join(dir, "sub/external.onnx.data"), fixture("external.onnx.data"));
    const external = [{ path: "external.onnx.data", sha256: sha256(fixture("external.onnx.data")) }];
    const model = await fetchArtifact(
      artifact("sub/external.onnx", sha256(fixture("external.onnx")), external),
      dir,
      offline,
    );
    expect(model.externalData[0]!.bytes).toHaveLength(16);
    expect(model.totalBytes).toBe(model.bytes.length + 16);
    const error = await refusal(() =>
      fetchArtifact(
        artifact("sub/external.onnx", sha256(fixture("external.onnx")), [{ ...external[0]!, sha256: "0".repeat(64) }]),
        dir,
        offline,
      ),
    );
    expect(error.code).toBe("artifact-digest");
  });

  it("with a wrong digest shows both digests", async () => {
    const error = await refusal(() => fetchArtifact(artifact("model.onnx", "0".repeat(64)), dir, offline));
    expect(error.diagnostic).toMatchObject({
      code: "artifact-digest",
      expected: `sha256 ${"0".repeat(64)}`,
      received: expect.stringContaining(sha256(linear)),
    });
  });

  it.each([
    ["a missing file", "none.onnx", "artifact-missing"],
    ["a folder", "sub", "artifact-missing"],
    ["a path upwards", "../outside.onnx", "artifact-outside"],
    ["a path upwards in disguise", "sub/../../outside.onnx", "artifact-outside"],
    ["an absolute path", "/etc/hostname", "artifact-outside"],
  ])("%s", async (_, path, code) => {
    expect((await refusal(() => fetchArtifact(artifact(path), dir, offline))).code).toBe(code);
  });

  it("refuses a symbolic link anywhere on the path, and names the file itself where it can", async () => {
    symlinkSync("../outside.onnx", join(dir, "link.onnx"));
    symlinkSync("model.onnx", join(dir, "alias.onnx"));
    symlinkSync(".", join(dir, "here"));
    for (const [path, example] of [
      ["link.onnx", "path: model.onnx"],
      ["alias.onnx", "path: model.onnx"],
      ["here/sub/../model.onnx", "path: model.onnx"],
    ] as const)
      expect((await refusal(() => fetchArtifact(artifact(path), dir, offline))).diagnostic).toMatchObject({
        code: "artifact-link",
        example,
      });
  });

  it("recognises a Git LFS pointer", async () => {
    writeFileSync(
      join(dir, "model.onnx"),
      `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256(linear)}\nsize ${linear.length}\n`,
    );
    const error = await refusal(() => fetchArtifact(artifact("model.onnx"), dir, offline));
    expect(error.code).toBe("artifact-lfs-pointer");
    expect(error.message).toContain("git lfs pull");
  });

  it("is read from the cache in place of a Git LFS pointer, and hashed there", async () => {
    writeFileSync(
      join(dir, "model.onnx"),
      `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256(linear)}\nsize ${linear.length}\n`,
    );
    const cacheDir = temporaryFolder();
    const kept = cachedContent(cacheDir, sha256(linear));
    mkdirSync(dirname(kept), { recursive: true });
    writeFileSync(kept, linear);
    const model = await fetchArtifact(artifact("model.onnx"), dir, { ...offline, cacheDir });
    expect(model.bytes).toHaveLength(linear.length);
    writeFileSync(kept, "planted");
    expect((await refusal(() => fetchArtifact(artifact("model.onnx"), dir, { ...offline, cacheDir }))).code).toBe(
      "artifact-digest",
    );
  });

  it("is refused above the size limit", async () => {
    const error = await refusal(() =>
      fetchArtifact(artifact("model.onnx"), dir, { ...offline, maxBytes: linear.length - 1 }),
    );
    expect(error.code).toBe("artifact-too-large");
  });
});

it("a Hub location is repository, revision and path", () => {
  expect(parseHubLocation("org/repo@v1.0/onnx/model.onnx")).toEqual({
    repo: "org/repo",
    revision: "v1.0",
    path: "onnx/model.onnx",
  });
});
