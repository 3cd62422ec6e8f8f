import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { gitIn, listTree } from "../../../eval/gate/git.ts";
import { layOut } from "../../../eval/gate/lay-out.ts";
import { lfsObjectsOf } from "../../../eval/gate/lfs-objects.ts";
import { withWorkDir } from "../../../eval/gate/work-dir.ts";
import { folderWith } from "../dataset/build.ts";

function repository(files: Record<string, string | Uint8Array>, format = "sha1") {
  const dir = folderWith(files);
  const run = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
      cwd: dir,
      encoding: "utf8",
    }).trim();
  run("init", "-q", "-b", "main", `--object-format=${format}`);
  const commit = () => {
    run("add", "-A");
    run("commit", "-qm", "files");
    return run("rev-parse", "HEAD");
  };
  return { dir, run, commit, git: gitIn(dir, process.env) };
}

const lfs = ({ git, dir }: Pick<ReturnType<typeof repository>, "git" | "dir">) =>
  lfsObjectsOf({ git, root: dir, base: null, cacheDir: folderWith({}), env: {}, fetch, token: null });

async function laidOut(made: ReturnType<typeof repository>, commit: string, folder: string): Promise<string> {
  return layOut(await listTree(made.git, commit, folder), folder, commit, {
    git: made.git,
    workDir: folderWith({}),
    lfs: lfs(made),
  });
}

const pointerOf = (content: string) =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${createHash("sha256").update(content).digest("hex")}\nsize ${content.length}\n`;

describe("files of a commit", () => {
  it.each(["sha1", "sha256"])("are written as the commit has them, in a repository of %s", async (format) => {
    const binary = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);
    const made = repository({ "m/model.yaml": "one\n", "m/deep/w.bin": binary, "m/empty": "", other: "x" }, format);
    const commit = made.commit();
    writeFileSync(join(made.dir, "m/model.yaml"), "changed since\n");
    const folder = await laidOut(made, commit, "m");
    expect(readdirSync(folder, { recursive: true }).map(String).toSorted()).toEqual([
      "deep",
      "deep/w.bin",
      "empty",
      "model.yaml",
    ]);
    expect(readFileSync(join(folder, "model.yaml"), "utf8")).toBe("one\n");
    expect(new Uint8Array(readFileSync(join(folder, "deep/w.bin")))).toEqual(binary);
  });

  it("keep whole paths without a prefix, and any of them may be chosen", async () => {
    const made = repository({ "a/1": "1", "b/2": "2" });
    const commit = made.commit();
    const files = [...(await listTree(made.git, commit, "a")), ...(await listTree(made.git, commit, "b"))];
    const folder = await layOut(files, "", commit, {
      git: made.git,
      workDir: folderWith({}),
      lfs: lfs(made),
    });
    expect(readFileSync(join(folder, "b/2"), "utf8")).toBe("2");
  });

  it("are refused with their place when one is a symbolic link or a submodule", async () => {
    const made = repository({ "m/model.yaml": "one\n" });
    symlinkSync("model.yaml", join(made.dir, "m/link"));
    const linked = made.commit();
    await expect(laidOut(made, linked, "m")).rejects.toMatchObject({
      code: "not-a-file",
      diagnostic: { place: `m/link at ${linked.slice(0, 7)}`, received: "a symbolic link" },
    });
    made.run("rm", "-qf", "m/link");
    made.run("update-index", "--add", "--cacheinfo", `160000,${linked},m/sub`);
    made.run("commit", "-qm", "a submodule");
    await expect(laidOut(made, made.run("rev-parse", "HEAD"), "m")).rejects.toMatchObject({
      code: "not-a-file",
      diagnostic: { received: "a submodule" },
    });
  });

  it("are not what refs/replace makes of them, and damage of the clone is named", async () => {
    const made = repository({ "m/model.yaml": "one\n" });
    const commit = made.commit();
    const blob = made.run("rev-parse", "HEAD:m/model.yaml");
    writeFileSync(join(made.dir, "forged"), "two\n");
    made.run("replace", blob, made.run("hash-object", "-w", "forged"));
    expect(made.run("show", "HEAD:m/model.yaml")).toBe("two");
    expect(readFileSync(join(await laidOut(made, commit, "m"), "model.yaml"), "utf8")).toBe("one\n");

    // A git that lies about a blob's content.
    const forged = Object.assign({}, made, {
      git: async (args: readonly string[], options?: object) => {
        const answer = await made.git(args, options);
        return args[0] === "cat-file"
          ? { ...answer, stdout: Buffer.from(answer.stdout.toString("latin1").replace("one", "two"), "latin1") }
          : answer;
      },
    });
    await expect(laidOut(forged, commit, "m")).rejects.toMatchObject({
      code: "git-object",
      diagnostic: { place: `m/model.yaml at ${commit.slice(0, 7)}`, expected: `blob ${blob}` },
    });
  });
});

describe("Git LFS", () => {
  const keep = (store: string, content: string, stored = content) => {
    const oid = createHash("sha256").update(content).digest("hex");
    const path = join(store, "objects", oid.slice(0, 2), oid.slice(2, 4), oid);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, stored);
  };

  it("pointers are replaced by their files, from .git/lfs or lfs.storage", async () => {
    const made = repository({ "m/model.onnx": pointerOf("weights") });
    const commit = made.commit();
    await expect(laidOut(made, commit, "m")).rejects.toMatchObject({
      code: "lfs-missing",
      message: expect.stringMatching(/m\/model\.onnx at .*lfs: true/s),
    });
    keep(join(made.dir, ".git/lfs"), "weights");
    expect(readFileSync(join(await laidOut(made, commit, "m"), "model.onnx"), "utf8")).toBe("weights");
    const elsewhere = folderWith({});
    made.run("config", "lfs.storage", elsewhere);
    await expect(laidOut(made, commit, "m")).rejects.toMatchObject({ code: "lfs-missing" });
    keep(elsewhere, "weights");
    expect(readFileSync(join(await laidOut(made, commit, "m"), "model.onnx"), "utf8")).toBe("weights");
  });

  it("objects with other bytes than their name are not used", async () => {
    const made = repository({ "m/model.onnx": pointerOf("weights") });
    keep(join(made.dir, ".git/lfs"), "weights", "planted");
    await expect(laidOut(made, made.commit(), "m")).rejects.toMatchObject({ code: "lfs-missing" });
  });
});

it("the folder of a run is removed with the run, whatever happens", async () => {
  let seen = "";
  await expect(
    withWorkDir({ RUNNER_TEMP: folderWith({}) }, async (workDir) => {
      seen = workDir;
      writeFileSync(join(workDir, "file"), "");
      throw new Error("stop");
    }),
  ).rejects.toThrow("stop");
  expect(existsSync(seen)).toBe(false);
});
