import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { findCycle } from "./cycles.ts";
import { files, imports, inside, type Import } from "./sources.ts";

/** Room → the rooms it may import besides itself. The longest name that a path starts with is its room. */
const rooms: Record<string, readonly string[]> = {
  models: [],
  eval: ["models"],
  github: [],
  watch: ["models", "eval", "github"],
  deploy: ["models", "eval", "github", "watch"],
  predict: ["models", "eval"],
  bot: ["models", "eval", "github", "watch"],
  // The readers of data files are the same for a gate's dataset and for the file of a job; they judge nothing.
  "spaces/server": ["models", "eval/stats", "eval/dataset/formats"],
  "spaces/ui": [],
};

/** A shell reads inputs, calls rooms and reports. It may import any room; nothing imports a shell. */
const shells = ["actions", "cli", "cli.ts", "bot/main.ts", "spaces/main.ts", "spaces/optimise.ts", "rehearsal"];

/** Tools of this repository; they may import anything. */
const tools = ["scripts", "bench"];

const startsWith = (path: string, name: string) => path === name || path.startsWith(`${name}/`);
const longest = (path: string, names: readonly string[]) =>
  names.filter((name) => startsWith(path, name)).toSorted((a, b) => b.length - a.length)[0];
const shellOf = (path: string) => longest(path, shells);
const roomOf = (path: string) => (shellOf(path) === undefined ? longest(path, Object.keys(rooms)) : undefined);
const within =
  (...names: string[]) =>
  (path: string) =>
    names.some((name) => startsWith(path, name));
const shown = ({ from, to }: Import) => `${from} → ${to}`;

const io = /^node:(fs|fs\/promises|child_process|net|http|https|dgram|worker_threads|readline|cluster|tls|dns)$/;

describe("the house", () => {
  it("is read at all", () => {
    expect(files.length).toBeGreaterThan(500);
    expect(imports.length).toBeGreaterThan(2000);
  });

  it("has a room, a shell or a tool for every file", () => {
    const homeless = files.filter((path) => longest(path, [...Object.keys(rooms), ...shells, ...tools]) === undefined);
    expect(homeless).toEqual([]);
  });

  it("lets a room import only the rooms below it", () => {
    const wrong = inside.filter(({ from, to }) => {
      const room = roomOf(from);
      if (room === undefined) return false;
      return !startsWith(to, room) && !within(...rooms[room]!)(to);
    });
    expect(wrong.map(shown)).toEqual([]);
  });

  it("lets nobody import a shell", () => {
    const wrong = inside.filter(({ from, to }) => {
      const shell = shellOf(to);
      if (shell === undefined || within(...tools)(from)) return false;
      // The command line's one file starts its folder.
      return shellOf(from)?.split(".")[0] !== shell.split(".")[0];
    });
    expect(wrong.map(shown)).toEqual([]);
  });

  it("lets only the session import the native runtime", () => {
    // What measures the runtime alone has to ask it alone.
    const importers = imports.filter(({ from, to }) => to === "onnxruntime-node" && !within("bench")(from));
    expect([...new Set(importers.map(({ from }) => from))]).toEqual(["models/core/session/session.ts"]);
  });

  it("keeps manifests, processing, metrics, statistics, judging, drift and reports free of I/O", () => {
    const pure = within(
      ...["manifest", "expression", "preprocess", "postprocess"].map((folder) => `models/core/${folder}`),
      ...["metrics", "stats", "judge", "power", "report", "schema"].map((folder) => `eval/${folder}`),
      ...["drift", "ops"].map((folder) => `watch/${folder}`),
    );
    // The worker pool starts threads, which is all of its purpose; it reads and writes nothing.
    const threads = ({ from, to }: Import) => /bootstrap-worker/.test(from) && to === "node:worker_threads";
    const wrong = imports.filter((one) => pure(one.from) && io.test(one.to) && !threads(one));
    expect(wrong.map(shown)).toEqual([]);
  });

  it("has no import cycle between files, types included", () => {
    expect(findCycle(inside.map(({ from, to }) => [from, to]))).toEqual([]);
  });

  it("has no import cycle between folders, types included", () => {
    expect(findCycle(inside.map(({ from, to }) => [dirname(from), dirname(to)]))).toEqual([]);
  });

  it("has no barrels and no utils", () => {
    expect(files.filter((path) => /(^|\/)(index|utils?|helpers?)(\.\w+|\/)/.test(path))).toEqual([]);
  });
});

describe("findCycle", () => {
  it.each([
    ["none", ["a b", "b c", "a c"], []],
    ["two that know each other", ["a b", "b a"], ["a", "b", "a"]],
    ["a longer way round", ["x a", "a b", "b c", "c a"], ["a", "b", "c", "a"]],
    ["a node that knows itself", ["a a"], []],
  ])("%s", (_, edges, cycle) => {
    expect(findCycle(edges.map((edge) => edge.split(" ") as [string, string]))).toEqual(cycle);
  });
});
