import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { create } from "tar";
import { readNativePins } from "../build/native-pins.ts";

// node scripts/with-node24.mjs scripts/release/tree.ts --out DIR [--changelog FILE]
//
// Writes what a release consists of, apart from the command line (npm run pack:cli), whose package names the commit:
//   DIR/tree       the tree of the release's commit: the actions and the workflows that call nothing else
//   DIR/assets     the native runtime for GitHub's Linux machines
//   DIR/notes.md   the changelog of this version

/** Reusable workflows that need the actions alone. */
const workflows = ["gate.yml", "gate-comment.yml", "deploy.yml", "watch.yml"];
const platform = "linux-x64";

const { values } = parseArgs({
  options: { out: { type: "string", default: "release" }, changelog: { type: "string" } },
});
const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const tree = join(values.out, "tree");
const assets = join(values.out, "assets");
const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };

/** The changelog's section of a version. */
function notesOf(changelog: string): string {
  const found = new RegExp(
    `^## \\[${version.replaceAll(".", "\\.")}\\][^\\n]*\\n([\\s\\S]*?)(?=^## \\[|$(?![\\s\\S]))`,
    "m",
  ).exec(changelog);
  const notes = found?.[1]?.trim() ?? "";
  if (notes === "")
    throw new Error(
      `CHANGELOG.md has no section "## [${version}]" with a text: move what stands under Unreleased there.`,
    );
  return notes;
}

async function copyActions(): Promise<void> {
  const entries = await readdir(join(root, "actions"), { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = relative(root, join(entry.parentPath, entry.name));
    if (!entry.isFile() || !(entry.name === "action.yml" || /^actions\/[^/]+\/dist\//.test(path))) continue;
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await cp(join(root, path), join(tree, path));
  }
}

/** The runtime as it lies in npm's package, in a tarball of the same bytes every time. */
async function packRuntime(): Promise<string> {
  const pins = await readNativePins(root);
  const files = pins.platforms[platform];
  if (files === undefined) throw new Error(`${pins.package} ${pins.version} has no files for ${platform}`);
  const cwd = join(root, "node_modules", pins.package, pins.folder, ...platform.split("-"));
  for (const { name, sha256 } of files) {
    const found = createHash("sha256")
      .update(await readFile(join(cwd, name)))
      .digest("hex");
    if (found !== sha256) throw new Error(`${name} changed while it was packed`);
  }
  const file = join(assets, `onnxruntime-${pins.version}-${platform}.tgz`);
  await create(
    { file, cwd, gzip: { level: 9 }, portable: true, mtime: new Date(0) },
    files.map(({ name }) => name),
  );
  return file;
}

const notes = notesOf(await readFile(values.changelog ?? join(root, "CHANGELOG.md"), "utf8"));
await rm(values.out, { recursive: true, force: true });
await mkdir(assets, { recursive: true });
await copyActions();
for (const name of workflows) {
  await mkdir(join(tree, ".github/workflows"), { recursive: true });
  await cp(join(root, ".github/workflows", name), join(tree, ".github/workflows", name));
}
await cp(join(root, "LICENSE"), join(tree, "LICENSE"));
await writeFile(
  join(tree, "README.md"),
  `# Sluice ${version}\n\nThe actions and workflows of this release, as \`uses:\` fetches them. Sources, documentation and the changelog are on the branch \`main\`; the command line and the native runtime are assets of the release.\n`,
);
await writeFile(join(values.out, "notes.md"), `${notes}\n`);
const runtime = await packRuntime();
console.log(`${tree}\n${runtime}\n${join(values.out, "notes.md")}`);
