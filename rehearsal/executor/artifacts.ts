import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import AdmZip from "adm-zip";
import type { ArtifactRecord, RunRecord } from "./platform.ts";

/** Zip method "stored": the archives live for seconds, so compressing them is not worth the time. */
const stored = 0;

/** The artifacts of all runs, as zip files in one directory. */
export class ArtifactStore {
  readonly #directory: string;
  readonly #now: () => Date;
  #nextId = 1;
  constructor(directory: string, now: () => Date) {
    this.#directory = directory;
    this.#now = now;
  }

  /** @param files absolute path by name within the zip @throws Error with the service's words if the name is taken */
  async upload(
    run: RunRecord,
    name: string,
    files: ReadonlyMap<string, string>,
    overwrite: boolean,
  ): Promise<ArtifactRecord> {
    const taken = run.artifacts.findIndex((one) => one.name === name);
    if (taken >= 0 && !overwrite)
      throw new Error(
        "Failed to CreateArtifact: Received non-retryable error: Failed request: (409) Conflict: an artifact with this name already exists on the workflow run",
      );
    if (taken >= 0) {
      const [old] = run.artifacts.splice(taken, 1);
      if (old !== undefined) await rm(old.path, { force: true });
    }
    const zip = new AdmZip();
    for (const [inside, path] of files) zip.addFile(inside, await readFile(path)).header.method = stored;
    const bytes = zip.toBuffer();
    const id = this.#nextId;
    this.#nextId += 1;
    const path = join(this.#directory, `${id}.zip`);
    await mkdir(this.#directory, { recursive: true });
    await writeFile(path, bytes);
    const artifact: ArtifactRecord = {
      id,
      runId: run.id,
      name,
      path,
      sizeBytes: bytes.length,
      digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}`,
      createdAt: this.#now().toISOString(),
      expired: false,
    };
    run.artifacts.push(artifact);
    return artifact;
  }

  /** @throws Error if the zip is not the one that was stored, or contains a path outside the target */
  async extract(artifact: ArtifactRecord, target: string): Promise<void> {
    const bytes = await readFile(artifact.path);
    if (`sha256:${createHash("sha256").update(bytes).digest("hex")}` !== artifact.digest)
      throw new Error(`Artifact '${artifact.name}' digest validation failed`);
    for (const entry of new AdmZip(bytes).getEntries()) {
      const path = resolve(target, entry.entryName);
      if (relative(target, path).startsWith("..")) throw new Error(`Malformed extraction path: ${entry.entryName}`);
      if (entry.isDirectory) continue;
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, entry.getData());
    }
  }
}
