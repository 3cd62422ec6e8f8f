import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { create } from "tar";
import { buildCommandLine } from "./build/command-line.ts";

// npm run pack:cli -- [--out DIR] [--repository OWNER/NAME] [--commit SHA]
//
// Writes the command line as one tarball that npm installs by its address or path: DIR/sluice-VERSION.tgz. Equal sources
// give equal bytes.

const { values } = parseArgs({
  options: { out: { type: "string", default: "." }, repository: { type: "string" }, commit: { type: "string" } },
});
const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
const files = await buildCommandLine(root, { repository: values.repository ?? null, commit: values.commit ?? null });
const stage = await mkdtemp(join(tmpdir(), "sluice-pack-"));
try {
  for (const { name, bytes } of files) {
    const path = join(stage, "package", name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
    await chmod(path, name.startsWith("bin/") ? 0o755 : 0o644);
  }
  await mkdir(values.out, { recursive: true });
  const file = join(values.out, `sluice-${version}.tgz`);
  await create(
    { file, cwd: stage, gzip: { level: 9 }, portable: true, mtime: new Date(0) },
    files.map(({ name }) => `package/${name}`),
  );
  const bytes = await readFile(file);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  console.log(`${file}  ${bytes.length} bytes, ${files.length} files, sha256 ${sha256}`);
} finally {
  await rm(stage, { recursive: true, force: true });
}
