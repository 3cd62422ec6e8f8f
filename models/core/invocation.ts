import { relative, sep } from "node:path";

/** How this program was started, and so where the reader of its messages stands. */
export type Start =
  /** From a clone of the suite; `root` is the clone. */
  | { kind: "sources"; root: string; cwd: string }
  /** From an installed package; `program` is what npm linked. */
  | { kind: "installed"; program: string; cwd: string }
  /** By `npx --package=SPEC`. */
  | { kind: "npx"; spec: string }
  /** In a workflow, by an action of `repository`, whose releases carry the command line. */
  | { kind: "workflow"; server: string; repository: string; own: boolean; version: string };

/**
 * The words that start this very program again, for hints, reports and pages. No registry is asked for a name that
 * somebody else could take: a package is named by its address, an installed one by its file. In the suite's own clone
 * npx finds the clone's program before it looks anywhere else.
 */
export function commandOf(start: Start): string {
  switch (start.kind) {
    case "sources": {
      const way = relative(start.cwd, start.root);
      return way === "" ? "npx sluice" : shellQuoted([...way.split(sep), "scripts/sluice.mjs"].join("/"));
    }
    case "installed": {
      const way = relative(start.cwd, start.program).split(sep).join("/");
      return shellQuoted(way.includes("/") ? way : `./${way}`);
    }
    case "npx":
      return `npx --yes --ignore-scripts --package=${shellQuoted(start.spec)} sluice`;
    case "workflow":
      return start.own
        ? "npx sluice"
        : commandOf({ kind: "npx", spec: releaseAddress(start.server, start.repository, start.version) });
  }
}

/** Where the command line of a release lies. */
function releaseAddress(server: string, repository: string, version: string): string {
  return `${server}/${repository}/releases/download/v${version}/sluice-${version}.tgz`;
}

const shellQuoted = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;

let current = "npx sluice";

/** Told once by the shell that starts. */
export function startedBy(start: Start): void {
  current = commandOf(start);
}

/** The words that start this program again, e.g. `node_modules/.bin/sluice`; a command follows. */
export function sluiceCommand(): string {
  return current;
}
