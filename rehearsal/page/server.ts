import { readFileSync } from "node:fs";
import { join } from "node:path";
import fastify from "fastify";
import { z } from "zod";
import { chat, type Scene } from "../scene/scene.ts";
import { artifactFile, runPage } from "./run-page.ts";
import { pageState, type StoryState } from "./state.ts";

const who = z.enum(["lena", "omar", "stranger"]);
const buttonPress = z.strictObject({ who, message: z.int(), label: z.string().max(100) });
const say = z.strictObject({ who, text: z.string().min(1).max(1000) });
const files = {
  "/": ["page.html", "text/html"],
  "/page.css": ["page.css", "text/css"],
  "/page.js": ["page.js", "text/javascript"],
} as const;

/** One page with the current pull request, chat and Space side by side. */
export async function servePage(
  scene: Scene,
  stories: readonly StoryState[],
  port = 0,
): Promise<{ url: string; close: () => Promise<void> }> {
  const app = fastify({ bodyLimit: 10_000, forceCloseConnections: true });
  // Accept only JSON, because other pages in the same browser cannot send it without a preflight request.
  app.removeContentTypeParser("text/plain");
  for (const [path, [name, type]] of Object.entries(files))
    app.get(path, (_, reply) =>
      reply.type(`${type}; charset=utf-8`).send(readFileSync(join(import.meta.dirname, name))),
    );
  app.get("/state", () => pageState(scene, stories));
  app.get("/github/*", (request, reply) => {
    const run = /\/actions\/runs\/(\d+)/.exec(request.url)?.[1];
    const html = run === undefined ? null : runPage(scene, Number(run));
    return html === null ? reply.redirect("/") : reply.type("text/html; charset=utf-8").send(html);
  });
  app.get<{ Params: { run: string; name: string; "*": string } }>("/artifacts/:run/:name/*", ({ params }, reply) => {
    const found = artifactFile(scene, Number(params.run), params.name, params["*"]);
    return found === null
      ? reply.code(404).send({ error: "no such file" })
      : reply.type(`${found.type}; charset=utf-8`).send(found.bytes);
  });
  app.post("/press", (request, reply) => {
    const { who: person, message, label } = buttonPress.parse(request.body);
    scene.telegram.people.presses(scene.people[person], { chat, message_id: message }, label);
    return reply.code(204).send();
  });
  app.post("/say", (request, reply) => {
    const { who: person, text } = say.parse(request.body);
    scene.telegram.people.says(scene.people[person], text, { chat });
    return reply.code(204).send();
  });
  const url = await app.listen({ host: "127.0.0.1", port });
  return { url, close: () => app.close() };
}
