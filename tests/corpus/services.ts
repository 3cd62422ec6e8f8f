import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "tar";

const packages = join(import.meta.dirname, "packages");

/** What pull requests may want to reach: an npm registry, a Git LFS server, and a stranger's server. */
export type Services = {
  /** Of the registry, as npm_config_registry takes it. */
  registry: string;
  /** NAME@VERSION → npm's integrity of the tarball that the registry serves. */
  integrity: ReadonlyMap<string, string>;
  /** Of the Git LFS server: `${lfs}/REPOSITORY` is one repository's. */
  lfs: string;
  /** REPOSITORY/OID → what that repository keeps. */
  objects: Map<string, Buffer>;
  /** A server that nobody has a reason to talk to. */
  stranger: string;
  /** Paths that were asked of it. */
  askedOfStranger: string[];
  close: () => Promise<void>;
};

export async function startServices(): Promise<Services> {
  const tarballs = await pack();
  const objects = new Map<string, Buffer>();
  const askedOfStranger: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    if (path.startsWith("/stranger")) {
      askedOfStranger.push(path);
      response.writeHead(404).end();
      return;
    }
    const [, repository = "", object = ""] = /^\/lfs\/([\w-]+)\/objects\/(\w+)$/.exec(path) ?? [];
    const bytes = objects.get(`${repository}/${object}`) ?? tarballs.get(path);
    if (bytes !== undefined) response.end(bytes);
    else if (request.method === "POST" && object === "batch") {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => (body += text));
      request.on("end", () => {
        response.setHeader("content-type", "application/vnd.git-lfs+json");
        response.end(
          JSON.stringify(
            batchAnswer(JSON.parse(body) as BatchRequest, {
              has: (oid) => objects.has(`${repository}/${oid}`),
              href: `${url}/lfs/${repository}/objects`,
            }),
          ),
        );
      });
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    registry: url,
    integrity: new Map([...tarballs].map(([path, bytes]) => [specOf(path), integrityOf(bytes)])),
    lfs: `${url}/lfs`,
    objects,
    stranger: `${url}/stranger`,
    askedOfStranger,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** Path at the registry → tarball, for each folder of tests/corpus/packages. */
async function pack(): Promise<Map<string, Buffer>> {
  const work = mkdtempSync(join(tmpdir(), "sluice-packages-"));
  try {
    const packed = new Map<string, Buffer>();
    for (const spec of readdirSync(packages)) {
      const [name, version] = spec.split("@") as [string, string];
      const file = join(work, `${spec}.tgz`);
      await create({ gzip: true, portable: true, cwd: join(packages, spec), prefix: "package", file }, ["."]);
      packed.set(`/${name}/-/${name}-${version}.tgz`, readFileSync(file));
    }
    return packed;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const specOf = (path: string) => path.replace(/^\/(.+)\/-\/\1-(.+)\.tgz$/, "$1@$2");
const integrityOf = (bytes: Buffer) => `sha512-${createHash("sha512").update(bytes).digest("base64")}`;

type BatchRequest = { objects: { oid: string; size: number }[] };

/** https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md */
function batchAnswer({ objects }: BatchRequest, { has, href }: { has: (oid: string) => boolean; href: string }) {
  return {
    transfer: "basic",
    objects: objects.map(({ oid, size }) =>
      has(oid)
        ? { oid, size, actions: { download: { href: `${href}/${oid}` } } }
        : { oid, size, error: { code: 404, message: "Object does not exist" } },
    ),
  };
}
