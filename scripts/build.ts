import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { documents, withTables } from "./build/action-metadata.ts";
import { buildBundle, bundles } from "./build/bundle.ts";
import type { BuiltFile } from "./build/stable-names.ts";

// npm run build                bundles every action into its dist and refreshes the tables of the documentation
// npm run build:check          compares instead, lists what differs, exits with 1
// npm run build -- actions/deploy   only that action

const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** The files that are missing, extra or different in the committed folder. */
async function differences(dist: string, fresh: readonly BuiltFile[]): Promise<string[]> {
  const entries = await readdir(join(root, dist), { recursive: true, withFileTypes: true }).catch(() => []);
  const committed = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(join(root, dist), join(entry.parentPath, entry.name)).split(sep).join("/"));
  const found: string[] = [];
  for (const { name, bytes } of fresh) {
    if (!committed.includes(name)) found.push(`${dist}/${name}: missing`);
    else if (!Buffer.from(bytes).equals(await readFile(join(root, dist, name)))) found.push(`${dist}/${name}: differs`);
  }
  for (const name of committed)
    if (!fresh.some((file) => file.name === name)) found.push(`${dist}/${name}: not built any more`);
  return found;
}

async function tables(document: string, check: boolean): Promise<string[]> {
  const path = join(root, document);
  const text = await readFile(path, "utf8");
  const fresh = withTables(text);
  if (fresh === text) return [];
  if (check) return [`${document}: its tables differ`];
  await writeFile(path, fresh);
  return [];
}

const kib = (bytes: number) => `${(bytes / 1024).toFixed(0)} KiB`;
const check = process.argv.includes("--check");
const stale = (await Promise.all(documents.map((document) => tables(document, check)))).flat();
const named = process.argv.slice(2).filter((word) => !word.startsWith("--"));
for (const one of bundles.filter(({ dist }) => named.length === 0 || named.some((name) => dist.startsWith(name)))) {
  const { files } = await buildBundle(one, root);
  if (check) {
    stale.push(...(await differences(one.dist, files)));
    continue;
  }
  await rm(join(root, one.dist), { recursive: true, force: true });
  await mkdir(join(root, one.dist), { recursive: true });
  for (const { name, bytes } of files) {
    await mkdir(dirname(join(root, one.dist, name)), { recursive: true });
    await writeFile(join(root, one.dist, name), bytes);
  }
  for (const { name, bytes } of files) console.log(`${one.dist}/${name}  ${kib(bytes.length)}`);
  console.log(`${one.dist}  ${kib(files.reduce((sum, { bytes }) => sum + bytes.length, 0))}`);
}
if (stale.length > 0) {
  console.error(
    `What is committed is not what the sources build:\n${stale.map((line) => `  ${line}`).join("\n")}\nRun: npm run build`,
  );
  process.exitCode = 1;
} else if (check) console.log("The committed bundles are what the sources build.");
