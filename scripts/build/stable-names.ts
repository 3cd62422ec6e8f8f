import { posix } from "node:path";
import type { Metafile } from "esbuild";

const smallestRoomBytes = 4_000;

export type BuiltFile = { name: string; bytes: Uint8Array };

/**
 * Gives chunks names that describe their content and do not change with it. So a rebuilt dist shows as a diff, not as
 * many deleted and added files. esbuild's own names contain a hash of the content.
 *
 * @param files output files by esbuild's name, flat in one folder
 */
export function withStableNames(
  files: readonly BuiltFile[],
  metafile: Metafile,
  entries: readonly string[],
): BuiltFile[] {
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [posix.basename(path), output]));
  const renamed = new Map<string, string>();
  const taken = new Set(entries);
  const describe = (name: string) => {
    const output = outputs.get(name);
    if (output === undefined) throw new Error(`no metadata of ${name}`);
    return output.entryPoint ?? roomOf(output.inputs) ?? largest(output.inputs) ?? "shared";
  };
  // Equal names are numbered in the order of their inputs' paths, which do not depend on content.
  const sortKey = (name: string) =>
    `${describe(name)}\n${Object.keys(outputs.get(name)?.inputs ?? {})
      .sort()
      .join("\n")}`;
  for (const { name } of files.toSorted((a, b) => (sortKey(a.name) < sortKey(b.name) ? -1 : 1))) {
    if (entries.includes(name)) continue;
    const base = `chunk-${wordOf(describe(name))}`;
    let chosen = `${base}.js`;
    for (let i = 2; taken.has(chosen); i += 1) chosen = `${base}-${i}.js`;
    taken.add(chosen);
    renamed.set(name, chosen);
  }
  return files.map(({ name, bytes }) => {
    let text = Buffer.from(bytes).toString("utf8");
    for (const [from, to] of renamed) text = text.replaceAll(`"./${from}"`, `"./${to}"`);
    return { name: renamed.get(name) ?? name, bytes: Buffer.from(text) };
  });
}

type Inputs = Metafile["outputs"][string]["inputs"];

/**
 * A shared chunk with our own code is named after the room that most of it comes from, so that stack traces show the
 * room.
 */
function roomOf(inputs: Inputs): string | null {
  const rooms = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
    if (path.includes("node_modules/")) continue;
    const room = posix.dirname(path).split("/").slice(0, 2).join("-");
    rooms.set(room, (rooms.get(room) ?? 0) + bytesInOutput);
  }
  const [most] = [...rooms].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return most !== undefined && most[1] >= smallestRoomBytes ? most[0] : null;
}

function largest(inputs: Inputs): string | null {
  return (
    Object.entries(inputs).sort(
      ([a, { bytesInOutput: x }], [b, { bytesInOutput: y }]) => y - x || (a < b ? -1 : 1),
    )[0]?.[0] ?? null
  );
}

/** node_modules/@scope/name/dist/index.js → scope-name; eval/report/html.ts → eval-report-html. */
function wordOf(path: string): string {
  const inPackage = /node_modules\/(?:@([^/]+)\/)?([^/]+)\/(?!.*node_modules\/)/.exec(path);
  const words =
    inPackage === null ? path.replace(/\.\w+$/, "") : [inPackage[1], inPackage[2]].filter(Boolean).join("-");
  return words.replace(/[^\w]+/g, "-").replace(/^-|-$/g, "");
}
