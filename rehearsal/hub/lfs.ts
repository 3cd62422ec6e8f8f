import { randomBytes } from "node:crypto";
import type { Answer } from "./faults.ts";
import { sha256, type Repository } from "./repository.ts";

type Upload = { repository: Repository; oid: string; size: number; parts: Map<number, Buffer> };

/** Current transfers, by the secret part of their URL, because uploads have no Authorization header. */
export type Uploads = Map<string, Upload>;

/** POST …/info/lfs/objects/batch. Objects above `multipartBytes` are uploaded in numbered parts of that size. */
export function lfsBatch(
  repository: Repository,
  body: { operation?: string; objects?: { oid: string; size: number }[] },
  uploads: Uploads,
  origin: string,
  multipartBytes: number,
): Answer {
  if (body.operation !== "upload") return { status: 400, body: { message: "only uploads are offered" } };
  let multipart = false;
  const objects = (body.objects ?? []).map(({ oid, size }) => {
    if (repository.lfsObjects.get(oid)?.length === size) return { oid, size };
    const id = randomBytes(12).toString("hex");
    uploads.set(id, { repository, oid, size, parts: new Map() });
    const href = `${origin}/lfs-upload/${id}`;
    if (size <= multipartBytes)
      return { oid, size, authenticated: true, actions: { upload: { href, expires_in: 3600 } } };
    multipart = true;
    const parts = Object.fromEntries(
      Array.from({ length: Math.ceil(size / multipartBytes) }, (_, i) => [
        String(i + 1).padStart(5, "0"),
        `${href}/part/${i + 1}`,
      ]),
    );
    return {
      oid,
      size,
      authenticated: true,
      actions: { upload: { href: `${href}/complete`, header: { chunk_size: String(multipartBytes), ...parts } } },
    };
  });
  return { status: 200, body: { transfer: multipart ? "multipart" : "basic", objects } };
}

/** PUT of an object or of a part, and POST of the completion. Bytes that do not match the object id are refused. */
export function lfsTransfer(method: string, path: string, body: Buffer, uploads: Uploads): Answer {
  const [, , id = "", what, number] = path.split("/");
  const upload = uploads.get(id);
  if (upload === undefined)
    return { status: 403, body: { error: "AccessDenied: the URL is not signed or has expired" } };
  if (method === "PUT" && what === undefined) return keep(upload, body);
  if (method === "PUT" && what === "part") {
    upload.parts.set(Number(number), body);
    return { status: 200, headers: { etag: `"${sha256(body).slice(0, 32)}"` }, body: null };
  }
  if (method === "POST" && what === "complete") {
    const { parts = [] } = JSON.parse(body.toString("utf8")) as { parts?: { partNumber: number; etag: string }[] };
    const pieces = parts
      .toSorted((a, b) => a.partNumber - b.partNumber)
      .map(({ partNumber, etag }) => {
        const piece = upload.parts.get(partNumber);
        return piece !== undefined && `"${sha256(piece).slice(0, 32)}"` === etag ? piece : null;
      });
    if (pieces.includes(null)) return { status: 400, body: { error: "InvalidPart" } };
    return keep(upload, Buffer.concat(pieces as Buffer[]));
  }
  return { status: 405, body: { error: "MethodNotAllowed" } };
}

function keep({ repository, oid, size }: Upload, bytes: Buffer): Answer {
  if (bytes.length !== size || sha256(bytes) !== oid) return { status: 400, body: { error: "BadDigest" } };
  repository.lfsObjects.set(oid, bytes);
  return { status: 200, headers: { etag: `"${oid.slice(0, 32)}"` }, body: null };
}
