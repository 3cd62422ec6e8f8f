import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const rooms = ["models", "eval", "actions", "bot", "spaces", "cli", "scripts", "bench"];

type Import = { from: string; to: string; typeOnly: boolean };

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !path.includes("/dist/") && !path.includes("node_modules"));
}

const files = [
  ...rooms.flatMap((room) => {
    try {
      return sources(room);
    } catch {
      return [];
    }
  }),
  "cli.ts",
];

/** Import and export-from lines, static and dynamic; paths inside the repository are resolved. */
const imports: Import[] = files.flatMap((from) => {
  const text = readFileSync(join(root, from), "utf8");
  const found = [...text.matchAll(/^\s*(?:import|export)\s+(type\s+)?(?:[^"'`;]*?\sfrom\s+)?"([^"]+)"/gm)].map(
    (match) => ({ typeOnly: match[1] !== undefined, to: match[2] as string }),
  );
  const dynamic = [...text.matchAll(/\bimport\("([^"]+)"\)/g)].map((match) => ({
    typeOnly: false,
    to: match[1] as string,
  }));
  return [...found, ...dynamic].map(({ typeOnly, to }) => ({
    from,
    typeOnly,
    to: to.startsWith(".") ? relative(root, resolve(root, dirname(from), to)) : to,
  }));
});

const io = /^node:(fs|fs\/promises|child_process|net|http|https|dgram|worker_threads|readline|cluster|tls|dns)$/;
const within =
  (...prefixes: string[]) =>
  (path: string) =>
    prefixes.some((prefix) => path === prefix || path.startsWith(prefix));
const isFile = (path: string) => files.includes(path) || path.endsWith(".json");
const offenders = (from: (path: string) => boolean, allowed: (one: Import) => boolean) =>
  imports.filter((one) => from(one.from) && !allowed(one)).map((one) => `${one.from} → ${one.to}`);

describe("the house", () => {
  it("is read at all", () => {
    expect(files.length).toBeGreaterThan(50);
    expect(imports.length).toBeGreaterThan(200);
  });

  it("lets only the session import the native runtime", () => {
    // What measures the runtime alone has to ask it alone.
    expect(
      imports.filter((one) => one.to === "onnxruntime-node" && !within("bench/")(one.from)).map((one) => one.from),
    ).toEqual(["models/core/session/session.ts"]);
  });

  it("keeps the models' core to itself, and its schemas and processing free of I/O", () => {
    expect(
      offenders(within("models/core/"), (one) => !isFile(one.to) || within("models/core/", "package.json")(one.to)),
    ).toEqual([]);
    expect(
      offenders(
        within(
          "models/core/manifest/manifest.ts",
          "models/core/manifest/gates.ts",
          "models/core/preprocess/",
          "models/core/postprocess/",
        ),
        (one) => !io.test(one.to),
      ),
    ).toEqual([]);
  });

  it("keeps metrics, statistics, judge and report pure: no I/O, no session, downward only", () => {
    const pure = within(
      "eval/metrics/",
      "eval/stats/",
      "eval/judge/",
      "eval/power/",
      "eval/report/",
      "eval/metrics/measure.ts",
      "eval/schema/",
      "eval/predictions/predictions.ts",
    );
    const below = within(
      "eval/metrics/",
      "eval/stats/",
      "eval/judge/",
      "eval/power/",
      "eval/report/",
      "eval/metrics/measure.ts",
      "eval/schema/",
      "eval/predictions/predictions.ts",
      "models/core/version.ts",
      "models/core/manifest/manifest.ts",
      "models/core/manifest/gates.ts",
      "models/core/errors.ts",
      "models/core/postprocess/schema.ts",
    );
    // The worker pool starts threads, which is all of its purpose; it reads and writes nothing.
    const pool = within("eval/stats/bootstrap-worker");
    expect(
      offenders(pure, (one) =>
        isFile(one.to) ? below(one.to) : !io.test(one.to) || (pool(one.from) && one.to === "node:worker_threads"),
      ),
    ).toEqual([]);
  });

  it("lets the actions see results and SDKs, the bot results, the server the models' core", () => {
    expect(
      offenders(within("eval/"), (one) => !isFile(one.to) || within("eval/", "models/core/", "package.json")(one.to)),
    ).toEqual([]);
    // The one Telegram client and the one card are the bot's; the action that posts cards shares them.
    const actionsMaySee = ({ from, to }: Import) =>
      within("actions/", "eval/", "models/core/", "package.json")(to) ||
      (within("actions/notify/")(from) && within("bot/card/", "bot/telegram/")(to));
    expect(offenders(within("actions/"), (one) => !isFile(one.to) || actionsMaySee(one))).toEqual([]);
    expect(
      offenders(
        within("bot/"),
        (one) => !isFile(one.to) || within("bot/", "eval/", "models/core/", "package.json")(one.to),
      ),
    ).toEqual([]);
    expect(
      offenders(
        within("spaces/server/"),
        (one) => !isFile(one.to) || within("spaces/server/", "models/core/", "package.json")(one.to),
      ),
    ).toEqual([]);
  });

  it("lets nobody import the front doors", () => {
    expect(
      imports
        .filter((one) => within("actions/", "bot/", "spaces/", "cli/", "cli.ts")(one.to))
        .filter(
          (one) =>
            one.from.split("/")[0] !== one.to.split("/")[0] &&
            !within("cli/", "cli.ts", "scripts/", "bench/")(one.from),
        )
        .filter((one) => !(within("actions/notify/")(one.from) && within("bot/card/", "bot/telegram/")(one.to)))
        .map((one) => `${one.from} → ${one.to}`),
    ).toEqual([]);
  });

  it("has no barrels and no utils", () => {
    expect(files.filter((path) => /(^|\/)(index|utils?|helpers?)(\.ts|\/)/.test(path))).toEqual([]);
  });

  it("has no import cycle, types included", () => {
    const deps = new Map(
      files.map((path) => [
        path,
        imports.filter((one) => one.from === path && files.includes(one.to)).map((one) => one.to),
      ]),
    );
    const done = new Set<string>();
    const walk = (path: string, trail: string[]): string[] | null => {
      const at = trail.indexOf(path);
      if (at >= 0) return [...trail.slice(at), path];
      if (done.has(path)) return null;
      for (const next of deps.get(path) ?? []) {
        const cycle = walk(next, [...trail, path]);
        if (cycle !== null) return cycle;
      }
      done.add(path);
      return null;
    };
    expect(files.map((path) => walk(path, [])).find((cycle) => cycle !== null) ?? []).toEqual([]);
  });

  it("keeps every file at 400 lines or fewer", () => {
    expect(files.filter((path) => readFileSync(join(root, path), "utf8").split("\n").length > 400)).toEqual([]);
  });
});
