import { createHmac, randomUUID } from "node:crypto";
import type { Hook, Json, Repository, Routes, World } from "./world.ts";
import { notFound } from "./world.ts";

const deliveryTimeoutMs = 10_000;

/** Sends an event to every webhook that listens to it. Like GitHub, it does not wait for the answers. */
export function deliver(world: World, repository: Repository, event: string, payload: Json): void {
  for (const hook of repository.hooks) {
    if (!hook.active || !(hook.events.includes(event) || hook.events.includes("*"))) continue;
    const delivery = randomUUID();
    const body = JSON.stringify({ ...payload, repository: repository.resource });
    const record = { hook: hook.id, event, delivery, status: null as number | null, error: null as string | null };
    world.deliveries.push(record);
    void fetch(hook.url, {
      method: "POST",
      body,
      signal: AbortSignal.timeout(deliveryTimeoutMs),
      headers: {
        "content-type": "application/json",
        "user-agent": "GitHub-Hookshot/rehearsal",
        "x-github-event": event,
        "x-github-delivery": delivery,
        "x-github-hook-id": String(hook.id),
        "x-hub-signature-256": `sha256=${createHmac("sha256", hook.secret).update(body).digest("hex")}`,
      },
    }).then(
      (answer) => {
        record.status = answer.status;
      },
      (error: unknown) => {
        record.error = error instanceof Error ? error.message : String(error);
      },
    );
  }
}

export const hookRoutes: Routes = async (world, { repository, method, rest, body }) => {
  if (rest === "hooks" && method === "GET")
    return { status: 200, body: repository.hooks.map((hook) => written(world, repository, hook)) };
  if (rest === "hooks" && method === "POST") {
    const { url = "", secret = "" } = (body["config"] ?? {}) as { url?: string; secret?: string };
    return {
      status: 201,
      body: written(
        world,
        repository,
        addHook(world, repository, { url, secret, events: (body["events"] as string[] | undefined) ?? ["push"] }),
      ),
    };
  }
  const one = /^hooks\/(\d+)$/.exec(rest);
  if (one === null) return null;
  const hook = repository.hooks.find(({ id }) => id === Number(one[1]));
  if (hook === undefined) throw notFound();
  if (method === "GET") return { status: 200, body: written(world, repository, hook) };
  if (method !== "DELETE") return null;
  repository.hooks = repository.hooks.filter((other) => other !== hook);
  return { status: 204 };
};

export function addHook(
  world: World,
  repository: Repository,
  { url, secret, events }: Pick<Hook, "url" | "secret" | "events">,
): Hook {
  const hook: Hook = { id: world.nextId(), url, secret, events, active: true, createdAt: world.now().toISOString() };
  repository.hooks.push(hook);
  return hook;
}

function written({ origin }: World, { fullName }: Repository, { id, url, secret, events, active, createdAt }: Hook) {
  const api = `${origin}/repos/${fullName}/hooks/${id}`;
  return {
    type: "Repository",
    id,
    name: "web",
    active,
    events,
    config: { url, content_type: "json", insecure_ssl: "0", ...(secret === "" ? {} : { secret: "********" }) },
    updated_at: createdAt,
    created_at: createdAt,
    url: api,
    test_url: `${api}/test`,
    ping_url: `${api}/pings`,
    deliveries_url: `${api}/deliveries`,
    last_response: { code: null, status: "unused", message: null },
  };
}
