import type { FastifyInstance } from "fastify";
import { wantsPage } from "./negotiate.ts";
import { Problem } from "./problem.ts";
import { isProblemCode, problemPath, problemTypes, type ProblemCode } from "./problem-types.ts";

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark;" +
  "color:light-dark(#1f2328,#e6edf3);background:light-dark(#fff,#0d1117)}" +
  "h2{font-size:1.1rem;margin:2rem 0 .25rem}p{margin:.25rem 0}a{color:light-dark(#0550ae,#79c0ff)}" +
  ":target{outline:2px solid;outline-offset:.5rem}";

/** GET /problems: what the `code` of a problem means, on a page for people and as JSON; one of them at /problems/CODE. */
export function problemRoutes(app: FastifyInstance): void {
  const all = Object.keys(problemTypes).toSorted() as ProblemCode[];
  app.get("/problems", (request, reply) => {
    void reply.header("vary", "Accept");
    return wantsPage(request.headers.accept)
      ? reply.headers(pageHeaders).send(page(all))
      : { problems: Object.fromEntries(all.map((code) => [code, described(code)])) };
  });
  app.get<{ Params: { code: string } }>("/problems/:code", (request, reply) => {
    const { code } = request.params;
    if (!isProblemCode(code)) throw new Problem(404, "not-found", "no problem has this code; GET /problems lists them");
    void reply.header("vary", "Accept");
    return wantsPage(request.headers.accept) ? reply.headers(pageHeaders).send(page([code])) : described(code);
  });
}

const described = (code: ProblemCode) => ({ type: problemPath(code), code, ...problemTypes[code] });

const pageHeaders = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
};

function page(codes: readonly ProblemCode[]): string {
  const one = codes.length === 1;
  const parts = codes.map((code) => {
    const { means, next } = problemTypes[code];
    const title = one ? `<h1>${code}</h1>` : `<h2 id="${code}"><a href="${problemPath(code)}">${code}</a></h2>`;
    return `${title}<p>${means}</p><p><strong>What to do:</strong> ${next}</p>`;
  });
  const title = one ? `Problem ${codes[0] as string}` : "Problems";
  const links = `<p>${one ? '<a href="/problems">All problems</a> · ' : ""}<a href="/docs">API</a> · <a href="/">Models</a></p>`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${STYLE}</style><main>${one ? "" : `<h1>${title}</h1>`}${parts.join("")}${links}</main></html>`;
}
