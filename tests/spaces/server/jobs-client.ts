import { expect } from "vitest";
import type { JobView } from "../../../spaces/server/jobs/job.ts";
import { until, type ServerProcess } from "./harness.ts";

export type Line = {
  row: number;
  id: string;
  heads?: Record<string, Record<string, unknown>>;
  error?: { status: number; code: string; detail: string };
};

export const jsonLines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

/** What a client does with jobs of one server, with one key or none. */
export function jobsClient(server: Pick<ServerProcess, "url">, key?: string) {
  const call = (path: string, init: RequestInit = {}) =>
    fetch(new URL(path, server.url), {
      ...init,
      headers: { ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...(init.headers as object) },
      signal: AbortSignal.timeout(60_000),
    });
  const get = async (id: string): Promise<JobView> => (await (await call(`/jobs/${id}`)).json()) as JobView;
  return {
    call,
    get,
    async submit(model: string, body: string | Uint8Array | object, contentType = "application/json", query = "") {
      const response = await call(`/models/${model}/jobs${query}`, {
        method: "POST",
        headers: { "content-type": contentType },
        body: typeof body === "string" || body instanceof Uint8Array ? (body as never) : JSON.stringify(body),
      });
      const job = (await response.json()) as JobView;
      expect(response.status, JSON.stringify(job)).toBe(202);
      expect(response.headers.get("location")).toBe(`/jobs/${job.id}`);
      return job;
    },
    ended: (id: string, timeoutMs?: number): Promise<JobView> =>
      until(async () => {
        const job = await get(id);
        return ["succeeded", "failed", "cancelled"].includes(job.state) ? job : undefined;
      }, timeoutMs),
    async lines(id: string, query = ""): Promise<Line[]> {
      const response = await call(`/jobs/${id}/result${query}`);
      const text = await response.text();
      expect(response.status, text).toBe(200);
      return text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Line);
    },
  };
}

export type Event = { id: number; event: string; data: JobView };

/** Reads server-sent events until the stream ends, or until `enough` of them are there; then it disconnects. */
export async function readEvents(response: Response, enough = Infinity): Promise<Event[]> {
  const events: Event[] = [];
  let rest = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + chunk).split("\n\n");
    rest = blocks.pop()!;
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1];
      if (field("data") !== undefined)
        events.push({ id: Number(field("id")), event: field("event")!, data: JSON.parse(field("data")!) as JobView });
    }
    if (events.length >= enough) break;
  }
  return events;
}
