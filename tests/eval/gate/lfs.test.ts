import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { gitIn } from "../../../eval/gate/git.ts";
import { lfsEndpoint } from "../../../eval/gate/lfs-endpoint.ts";
import { lfsObjectsOf, type LfsDeps } from "../../../eval/gate/lfs-objects.ts";
import { teamRepository, type TeamRepository } from "../../cli/repository.ts";
import { folderWith } from "../dataset/build.ts";
import { startLfsServer, type LfsFault, type LfsServer } from "./lfs-server.ts";
import { gate, pointerTo, sha256 } from "./run.ts";

const model = "models/linear/linear.onnx";
const data = "models/linear/data/rows.jsonl";
let team: TeamRepository;
let server: LfsServer;
beforeEach(async () => {
  team = teamRepository();
  server = await startLfsServer();
});
afterEach(async () => {
  team.remove();
  await server.close();
});

/** A clone without LFS objects: pointers at main and in the working tree, the files at the server. */
function leavePointers(...paths: string[]): void {
  for (const path of paths) {
    const content = readFileSync(join(team.dir, path));
    server.put(content);
    team.write(path, pointerTo(content));
  }
  team.git("commit", "-qam", "pointers");
  team.git("checkout", "-qb", "topic");
}

describe("a clone with pointers in the place of weights and data", () => {
  it("is gated on the files that they point to, for candidate, baseline and dataset, and left as it is", async () => {
    const plain = await gate(team);
    leavePointers(model, data);
    team.git("config", "lfs.url", `${server.url}/octo/models.git/info/lfs`);
    const env = { SLUICE_CACHE: join(folderWith({}), "cache"), GITHUB_SERVER_URL: server.url };
    const { verdict } = await gate(team, {}, { fetch, gitToken: "job-token", env });
    expect(verdict.verdict).toBe("PASS");
    expect(verdict.models[0]?.dataset).toEqual(plain.verdict.models[0]?.dataset);
    expect(verdict.models[0]?.checks).toEqual(plain.verdict.models[0]?.checks);
    expect(readFileSync(join(team.dir, model), "utf8")).toMatch(/^version https/);
    expect(server.requests.map(({ method, path }) => [method, path.replace(/[0-9a-f]{64}/, "OID")])).toEqual([
      ["POST", "/octo/models.git/info/lfs/objects/batch"],
      ["GET", "/store/OID"],
      ["POST", "/octo/models.git/info/lfs/objects/batch"],
      ["GET", "/store/OID"],
    ]);
    const basic = `Basic ${Buffer.from("x-access-token:job-token").toString("base64")}`;
    expect(new Set(server.requests.map(({ authorization }) => authorization))).toEqual(new Set([basic]));
    expect(server.requests.at(-1)?.key).toBe("of-the-store");

    // The second run has them in the cache.
    await gate(team, {}, { env });
    expect(server.requests).toHaveLength(4);
  });

  it("is ERROR without a way to them, and says what to write into the workflow", async () => {
    leavePointers(model);
    const { verdict } = await gate(team);
    expect(verdict.verdict).toBe("ERROR");
    expect(verdict.models[0]?.reason).toMatch(/linear\.onnx at .*Git LFS pointer[^]*no remote `origin`[^]*lfs: true/);
  });
});

describe("the server", () => {
  const content = "weights";
  const pointer = { sha256: sha256(content), bytes: content.length };
  const waits: number[] = [];
  const objects = (more: Partial<LfsDeps> = {}) =>
    lfsObjectsOf({
      git: gitIn(team.dir, process.env),
      root: team.dir,
      base: null,
      cacheDir: join(folderWith({}), "cache"),
      env: { GITHUB_SERVER_URL: server.url },
      fetch,
      token: "job-token",
      sleep: async (ms) => void waits.push(ms),
      ...more,
    });
  const objectAt = async (more: Partial<LfsDeps> = {}) => {
    const [path] = await objects(more)([{ pointer, place: "m" }]);
    return path!;
  };
  beforeEach(() => {
    server.put(content);
    team.git("config", "lfs.url", server.url);
    waits.length = 0;
  });

  it("is waited for as long as it asks, and asked again", async () => {
    server.fault = "busy-once";
    expect(readFileSync(await objectAt(), "utf8")).toBe(content);
    expect(waits).toEqual([3000]);
  });

  it.each<[LfsFault, string, RegExp]>([
    ["denied", "lfs-refused", /HTTP 403/],
    ["unknown", "lfs-refused", /404 Object does not exist/],
    ["other-bytes", "lfs-missing", /gives another file/],
    ["cut", "lfs-unreachable", /4 of 7 bytes/],
    ["elsewhere", "lfs-refused", /http:\/\/192\.0\.2\.1/],
    ["redirect", "lfs-unreachable", /m: /],
  ])("%s → %s, and nothing stays in the cache", async (fault, code, message) => {
    server.fault = fault;
    const cacheDir = folderWith({});
    const refused = await objectAt({ cacheDir }).catch((error: Error) => error);
    expect(refused).toMatchObject({ code, message: expect.stringMatching(message) });
    expect((refused as Error).message).toContain("lfs: true");
    expect((refused as Error).message).not.toContain("job-token");
    expect(readdirSync(cacheDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())).toEqual(
      [],
    );
  });

  const many = (count: number) =>
    Array.from({ length: count }, (_, i) => {
      const text = `file ${i}`;
      server.put(text);
      return { pointer: { sha256: sha256(text), bytes: text.length }, place: `data/${i}` };
    });
  const batches = () => server.requests.filter(({ path }) => path.endsWith("/objects/batch")).length;

  it("is asked once for a hundred files, and gives at most eight at a time", async () => {
    server.together = 4;
    const wanted = many(240);
    const paths = await objects()([...wanted, wanted[0]!]);
    expect(paths.map((path) => readFileSync(path, "utf8"))).toEqual([...wanted.map((_, i) => `file ${i}`), "file 0"]);
    expect([batches(), server.requests.length - batches()]).toEqual([3, 240]);
    expect(server.maxAtOnce).toBeGreaterThanOrEqual(4);
    expect(server.maxAtOnce).toBeLessThanOrEqual(8);
  });

  it("is asked for fewer when that is too many for it", async () => {
    server.maxObjects = 30;
    expect(await objects()(many(100))).toHaveLength(100);
    // 100 and two of 50 are refused, four of 25 are not.
    expect(batches()).toBe(7);
  });

  it("goes on where a file was cut off", async () => {
    server.fault = "cut-once";
    expect(readFileSync(await objectAt(), "utf8")).toBe(content);
    expect(server.requests.map(({ range }) => range)).toEqual([undefined, undefined, undefined, "bytes=4-"]);
  });

  it("does not give again what came before another file failed", async () => {
    const cacheDir = folderWith({});
    const wanted = many(20);
    const absent = { pointer: { sha256: "a".repeat(64), bytes: 1 }, place: "data/absent" };
    await expect(objects({ cacheDir })([...wanted, absent])).rejects.toMatchObject({
      code: "lfs-refused",
      message: expect.stringContaining("data/absent"),
    });
    const kept = readdirSync(cacheDir, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).length;
    expect(kept).toBeGreaterThan(0);
    server.requests.length = 0;
    await objects({ cacheDir })(wanted);
    expect(server.requests.length - batches()).toBe(20 - kept);
  });

  it("gets no token that is for another server", async () => {
    await objectAt({ env: { GITHUB_SERVER_URL: "https://github.com" } });
    expect(server.requests.map(({ authorization }) => authorization)).toEqual([undefined, undefined]);
  });

  it("is not asked for more than the limit", async () => {
    await expect(objectAt({ maxBytes: 3 })).rejects.toMatchObject({ code: "lfs-too-large" });
    expect(server.requests).toEqual([]);
  });
});

describe("the server's address", () => {
  const address = async (base: string | null = null, env = {}) => {
    const found = await lfsEndpoint(gitIn(team.dir, process.env), base, env);
    return "url" in found ? found.url.href : found.none;
  };

  it.each([
    ["https://github.com/octo/models", "https://github.com/octo/models.git/info/lfs"],
    ["https://user:secret@github.com/octo/models.git", "https://github.com/octo/models.git/info/lfs"],
    ["git@github.com:octo/models.git", "https://github.com/octo/models.git/info/lfs"],
    ["ssh://git@git.example.com:2222/octo/models.git", "https://git.example.com/octo/models.git/info/lfs"],
    ["http://git.example.com/octo/models", "its address is neither https nor on this machine"],
    ["/srv/models.git", "its address is neither https nor on this machine"],
  ])("of the remote %s is %s", async (remote, expected) => {
    team.git("remote", "add", "origin", remote);
    expect(await address()).toBe(expected);
  });

  it("is GitHub's in a checkout without a remote", async () => {
    const env = { GITHUB_SERVER_URL: "https://github.com", GITHUB_REPOSITORY: "octo/models" };
    expect(await address(null, env)).toBe("https://github.com/octo/models.git/info/lfs");
    expect(await address()).toBe("the clone has no remote `origin`");
  });

  it("comes from the base's .lfsconfig, never from the candidate's", async () => {
    team.write(".lfsconfig", "[lfs]\n\turl = https://lfs.example.com/base\n");
    team.git("add", "-A");
    team.git("commit", "-qm", "lfs");
    const base = team.git("rev-parse", "HEAD").trim();
    writeFileSync(join(team.dir, ".lfsconfig"), "[lfs]\n\turl = https://evil.example.com\n");
    team.git("commit", "-qam", "steer");
    expect(await address(base)).toBe("https://lfs.example.com/base");
    expect(await address()).toBe("the clone has no remote `origin`");
    team.git("config", "lfs.url", "https://own.example.com");
    expect(await address(base)).toBe("https://own.example.com/");
  });
});
