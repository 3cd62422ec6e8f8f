import { describe, expect, it } from "vitest";
import { commandOf } from "../../../models/core/invocation.ts";

describe("the words that start the program again", () => {
  it.each([
    ["in the suite's own clone", { kind: "sources", root: "/s/sluice", cwd: "/s/sluice" }, "npx sluice"],
    [
      "in a repository beside the clone",
      { kind: "sources", root: "/s/sluice", cwd: "/s/team" },
      "../sluice/scripts/sluice.mjs",
    ],
    [
      "in a folder whose name needs quotes",
      { kind: "sources", root: "/s/my sluice", cwd: "/s/team" },
      "'../my sluice/scripts/sluice.mjs'",
    ],
    ["installed", { kind: "installed", program: "/t/node_modules/.bin/sluice", cwd: "/t" }, "node_modules/.bin/sluice"],
    [
      "installed, from a folder of the project",
      { kind: "installed", program: "/t/node_modules/.bin/sluice", cwd: "/t/models" },
      "../node_modules/.bin/sluice",
    ],
    ["beside the program", { kind: "installed", program: "/t/sluice", cwd: "/t" }, "./sluice"],
    [
      "by npx",
      { kind: "npx", spec: "https://github.com/octo/sluice/releases/download/v1.2.3/sluice-1.2.3.tgz" },
      "npx --yes --ignore-scripts --package=https://github.com/octo/sluice/releases/download/v1.2.3/sluice-1.2.3.tgz sluice",
    ],
    [
      "by an action of another repository",
      { kind: "workflow", server: "https://github.com", repository: "octo/sluice", own: false, version: "1.2.3" },
      "npx --yes --ignore-scripts --package=https://github.com/octo/sluice/releases/download/v1.2.3/sluice-1.2.3.tgz sluice",
    ],
    [
      "by an action of the repository itself",
      { kind: "workflow", server: "https://github.com", repository: "", own: true, version: "1.2.3" },
      "npx sluice",
    ],
  ] as const)("%s", (_place, start, command) => {
    expect(commandOf(start)).toBe(command);
  });
});
