import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Metafile } from "esbuild";

/** The licence texts of every package whose code is in the bundle, as the licences require. */
export async function thirdPartyLicences(metafile: Metafile, root: string): Promise<string> {
  const used = new Set<string>();
  for (const output of Object.values(metafile.outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
      const dir = packageDir(input);
      if (dir !== null && bytesInOutput > 0) used.add(dir);
    }
  }
  const sections: string[] = [];
  for (const dir of [...used].sort()) {
    const { name, version, license } = JSON.parse(await readFile(join(root, dir, "package.json"), "utf8")) as {
      name: string;
      version: string;
      license?: string;
    };
    const entries = await readdir(join(root, dir), { withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile() && /^(licen[cs]e|notice|copying)/i.test(entry.name))
      .map((entry) => entry.name)
      .sort();
    const texts = await Promise.all(files.map((file) => readFile(join(root, dir, file), "utf8")));
    const body =
      texts.length > 0 ? texts.map((text) => text.trim()).join("\n\n") : "(the package carries no licence file)";
    sections.push(`${name} ${version} (${license ?? "see below"})\n\n${body}`);
  }
  return `Third-party software in this bundle\n\n${sections.join(`\n\n${"-".repeat(80)}\n\n`)}\n`;
}

/** The innermost node_modules/…/PACKAGE of a bundled file; null for our own files. */
function packageDir(input: string): string | null {
  const found = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input);
  return found === null ? null : found[0];
}
