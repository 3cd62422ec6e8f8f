import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Upload, type UploadOptions } from "tus-js-client";
import { metadataOf, wholeNumber } from "../../../spaces/server/http/tus-headers.ts";
import { sha256 } from "../../models/core/build.ts";
import { json, modelFolder, serve, served, temporaryFolder, until, type ServerProcess } from "./harness.ts";
import { jobsClient } from "./jobs-client.ts";

const TUS = { "tus-resumable": "1.0.0" };
const BYTES = { ...TUS, "content-type": "application/offset+octet-stream" };
const OWNER_BYTES = 9_000_000;

let server: ServerProcess;
beforeAll(async () => {
  const keys = join(temporaryFolder(), "keys");
  writeFileSync(keys, `ada ${sha256("ada-key")}\ngrace ${sha256("grace-key")}\n`);
  server = await serve(
    [modelFolder(served())],
    [
      "--keys-file",
      keys,
      "--jobs-dir",
      temporaryFolder(),
      "--jobs-owner-bytes",
      String(OWNER_BYTES),
      "--jobs-max-bytes",
      "12000000",
    ],
    { env: { SLUICE_JOBS_KEY: Buffer.alloc(32, 3).toString("hex") } },
  );
});

/** A network that ends every connection after so many bytes from the client, so often. */
async function flaky(target: string, afterBytes: number, times: number) {
  let left = times;
  const proxy = createServer((incoming, outgoing) => {
    let bytes = 0;
    const onward = httpRequest(
      new URL(incoming.url!, target),
      { method: incoming.method, headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(outgoing);
      },
    );
    onward.on("error", () => outgoing.destroy());
    incoming.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (incoming.method === "PATCH" && left > 0 && bytes >= afterBytes) {
        left -= 1;
        // What has arrived is passed on before the connection ends.
        setTimeout(() => {
          onward.destroy();
          incoming.socket.destroy();
        }, 50);
        incoming.pause();
        return;
      }
      onward.write(chunk);
    });
    incoming.on("end", () => onward.end());
  });
  await new Promise<void>((resolve) => {
    proxy.listen(0, "127.0.0.1", resolve);
  });
  afterAll(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, cuts: () => times - left };
}

/** A client that others wrote. */
const send = (bytes: Buffer, options: UploadOptions) =>
  new Promise<string>((resolve, reject) => {
    const upload = new Upload(bytes as never, {
      chunkSize: 400_000,
      retryDelays: [0, 50, 50, 50, 50],
      metadata: { filename: "rows.csv", filetype: "text/csv" },
      headers: { authorization: "Bearer ada-key" },
      ...options,
      onError: reject,
      onSuccess: () => resolve(upload.url!),
    });
    upload.start();
  });

describe("tus-js-client", () => {
  it("uploads through a network that breaks, and the file is whole", async () => {
    const proxy = await flaky(server.url, 150_000, 3);
    const lines = Array.from({ length: 60_000 }, (_, i) => `${i},${i % 7},${-i},0.5`);
    const bytes = Buffer.from(`id,a,b,c\n${lines.join("\n")}\n`);
    const offsets: number[] = [];
    const url = await send(bytes, {
      endpoint: `${proxy.url}/uploads`,
      onChunkComplete: (_size, accepted) => offsets.push(accepted),
    });
    expect(proxy.cuts()).toBe(3);
    expect(offsets.at(-1)).toBe(bytes.length);
    const ada = jobsClient(server, "ada-key");
    const id = url.split("/").at(-1)!;
    const listed = (await json(await ada.call("/jobs"))) as unknown as { uploads: object[] };
    expect(listed.uploads).toMatchObject([
      { id, size: bytes.length, received: bytes.length, name: "rows.csv", contentType: "text/csv", complete: true },
    ]);
    const job = await ada.submit("linear", { upload: id });
    expect(await ada.ended(job.id)).toMatchObject({
      state: "succeeded",
      format: "csv",
      progress: { rows: 60_000, failed: 0, total: 60_000 },
    });
    const got = await ada.lines(job.id);
    expect(got.map(({ id: name }) => name)).toEqual(lines.map((_, i) => String(i)));
    // The input is deleted with the success, and it is not an upload any more.
    expect((await ada.call(`/uploads/${id}`, { method: "HEAD", headers: TUS })).status).toBe(404);
    expect((await ada.call(`/jobs/${job.id}`, { method: "DELETE" })).status).toBe(204);
  }, 120_000);

  it("sends data with the creation, and ends an upload", async () => {
    const url = await send(Buffer.from("a,b,c\n1,2,3\n"), {
      endpoint: `${server.url}/uploads`,
      uploadDataDuringCreation: true,
    });
    const ada = jobsClient(server, "ada-key");
    const head = await ada.call(url, { method: "HEAD", headers: TUS });
    expect([head.status, head.headers.get("upload-offset"), head.headers.get("upload-length")]).toEqual([
      200,
      "12",
      "12",
    ]);
    expect(Date.parse(head.headers.get("upload-expires")!)).toBeGreaterThan(Date.now());
    await Upload.terminate(url, { headers: { authorization: "Bearer ada-key" } });
    expect((await ada.call(url, { method: "HEAD", headers: TUS })).status).toBe(404);
  });
});

describe("the tus protocol", () => {
  const ada = () => jobsClient(server, "ada-key");
  const create = async (size: number, key = "ada-key") =>
    jobsClient(server, key).call("/uploads", { method: "POST", headers: { ...TUS, "upload-length": String(size) } });

  it("says what it can", async () => {
    const options = await fetch(`${server.url}/uploads`, { method: "OPTIONS" });
    expect(options.status).toBe(204);
    expect(options.headers.get("tus-version")).toBe("1.0.0");
    expect(options.headers.get("tus-extension")).toBe("creation,creation-with-upload,expiration,termination");
    expect(options.headers.get("tus-max-size")).toBe(String(OWNER_BYTES));
  });

  it("refuses what is not of it", async () => {
    const made = await create(10);
    const at = new URL(made.headers.get("location")!, server.url).pathname;
    const status = async (method: string, path: string, headers: Record<string, string>, body?: string) =>
      (await ada().call(path, { method, headers, ...(body === undefined ? {} : { body }) })).status;
    expect(await status("POST", "/uploads", { "upload-length": "10" })).toBe(412);
    for (const length of ["", "0", "-1", "1e3", "ten", "99999999999999999"])
      expect(await status("POST", "/uploads", { ...TUS, "upload-length": length })).toBe(400);
    expect(await status("POST", "/uploads", { ...TUS, "upload-length": String(OWNER_BYTES + 1) })).toBe(413);
    expect(await status("POST", "/uploads", { ...TUS, "upload-length": "9", "upload-metadata": "a b c" })).toBe(400);
    expect(await status("PATCH", at, { ...TUS, "upload-offset": "0", "content-type": "text/plain" }, "x")).toBe(415);
    expect(await status("PATCH", at, { ...BYTES, "upload-offset": "x" }, "x")).toBe(400);
    expect(await status("PATCH", at, { ...BYTES, "upload-offset": "5" }, "x")).toBe(409);
    expect(await status("PATCH", at, { ...BYTES, "upload-offset": "0" }, "more than ten bytes")).toBe(409);
    expect(await status("PATCH", at, { ...BYTES, "upload-offset": "0" }, "half.")).toBe(204);
    expect(await status("PATCH", at, { ...BYTES, "upload-offset": "0" }, "half.")).toBe(409);
    const unfinished = await ada().call("/models/linear/jobs", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ upload: at.split("/").at(-1), format: "csv" }),
    });
    expect(await json(unfinished)).toMatchObject({ status: 409, code: "upload-unfinished" });
    for (const method of ["HEAD", "PATCH", "DELETE"])
      expect(
        (
          await jobsClient(server, "grace-key").call(at, {
            method,
            headers: { ...BYTES, "upload-offset": "5" },
            ...(method === "PATCH" ? { body: "x" } : {}),
          })
        ).status,
      ).toBe(404);
    expect(await status("DELETE", at, TUS)).toBe(204);
    expect(await status("DELETE", at, TUS)).toBe(404);
  });

  it("bounds what one owner and all together reserve", async () => {
    const first = await create(8_900_000);
    expect(first.status).toBe(201);
    expect(await json(await create(200_000))).toMatchObject({ status: 413, code: "owner-full" });
    expect(await json(await create(4_000_000, "grace-key"))).toMatchObject({ status: 507, code: "storage-full" });
    await ada().call(first.headers.get("location")!, { method: "DELETE", headers: TUS });
    const second = await until(async () => {
      const made = await create(200_000);
      return made.status === 201 ? made : undefined;
    });
    await ada().call(second.headers.get("location")!, { method: "DELETE", headers: TUS });
  });
});

describe("what clients put into headers", () => {
  it("is metadata or refused, and never more than a short text", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 300 }),
          fc.base64String().map((text) => `filename ${text}`),
        ),
        (text) => {
          const found = metadataOf(text);
          for (const value of Object.values(found ?? {})) {
            expect(value.length).toBeLessThanOrEqual(200);
            expect(value).not.toMatch(/\p{Cc}/u);
          }
        },
      ),
      { seed: 6, numRuns: 500 },
    );
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.string({ minLength: 1, maxLength: 40 })),
        (given) => {
          const header = Object.entries(given)
            .map(([name, value]) => `${name} ${Buffer.from(value).toString("base64")}`)
            .join(",");
          const found = metadataOf(header)!;
          for (const [name, value] of Object.entries(given)) {
            const plain = Buffer.from(value)
              .toString("utf8")
              .replaceAll(/\p{Cc}/gu, "");
            expect(found[name]).toBe(plain === "" ? undefined : plain);
          }
        },
      ),
      { seed: 7, numRuns: 300 },
    );
  });

  it("is a number of bytes or refused", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.maxSafeNat().map(String)), (text) => {
        const found = wholeNumber(text);
        if (found !== null) expect(String(BigInt(text))).toBe(String(found));
        else expect(/^\d{1,15}$/.test(text)).toBe(false);
      }),
      { seed: 8, numRuns: 500 },
    );
  });
});
