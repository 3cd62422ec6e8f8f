import { randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { FileBody } from "../http/file-body.ts";
import { Problem } from "../http/problem.ts";

type Upload = { bytes: Buffer };

/**
 * Files that Gradio's clients upload before they call. They are kept in memory, for ten minutes and within a bound: the
 * oldest go first.
 */
export class Uploads {
  private readonly kept: LRUCache<string, Upload>;

  constructor(maxBytes: number) {
    this.kept = new LRUCache({ maxSize: maxBytes, ttl: 600_000, sizeCalculation: ({ bytes }) => bytes.length + 1 });
  }

  /**
   * Keeps the files of a form.
   *
   * @param body multipart/form-data with the parts `files`
   * @returns a path for each file, which nobody can guess
   * @throws Problem 400 when the body is no such form
   */
  async add({ bytes, contentType }: FileBody): Promise<string[]> {
    const form = await new Response(new Uint8Array(bytes), { headers: { "content-type": contentType } })
      .formData()
      .catch(() => {
        throw new Problem(400, "bad-form", "the body is not multipart/form-data with parts named files");
      });
    const files = form.getAll("files").filter((one): one is File => one instanceof File);
    return Promise.all(
      files.map(async (file) => {
        const path = `/uploads/${randomBytes(18).toString("base64url")}/${file.name.replaceAll(/[^\w.-]/g, "_").slice(-80)}`;
        this.kept.set(path, { bytes: Buffer.from(await file.arrayBuffer()) });
        return path;
      }),
    );
  }

  /** An upload as base64, which is how a row holds a file. @throws Problem 404 */
  base64(path: string): string {
    const found = this.kept.get(path);
    if (found === undefined)
      throw new Problem(
        404,
        "not-found",
        "this upload is not here: it is older than ten minutes, or another server has it",
      );
    return found.bytes.toString("base64");
  }
}
