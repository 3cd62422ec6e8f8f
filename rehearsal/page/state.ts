import { chat, type Scene, team } from "../scene/scene.ts";
import { htmlOfMarkdown } from "./markdown.ts";
import { onThisPage } from "./run-page.ts";
import { htmlOfMessage } from "./telegram.ts";

export type StoryState = {
  name: string;
  title: string;
  state: "waiting" | "playing" | "passed" | "failed";
  seconds: number | null;
};
type PageState = {
  stories: readonly StoryState[];
  pulls: {
    number: number;
    title: string;
    author: string;
    branch: string;
    state: "open" | "merged" | "closed";
    check: string | null;
    comments: { author: string; html: string }[];
  }[];
  messages: {
    id: number;
    from: string;
    bot: boolean;
    html: string;
    at: number;
    edited: boolean;
    buttons: { text: string; url: string | null }[][];
  }[];
  spaces: { name: string; url: string; stage: string; version: string | null }[];
};

type Comment = { body: string; user: { login: string } };

/**
 * The current state of the three services. It is read directly, so it adds no request to those that the rehearsal
 * counts.
 */
export async function pageState(scene: Scene, stories: readonly StoryState[]): Promise<PageState> {
  const { world } = scene.github;
  const repository = world.repositories.get(team);
  const pulls = await Promise.all(
    [...(repository?.pulls.values() ?? [])].map(
      async ({ number, author, headRef, headRepository, headSha, merged, closed }) => {
        const ask = <T>(path: string) =>
          world.emulate.must<T>(repository?.owner ?? "", "GET", `/repos/${team}/${path}`);
        const [{ title }, comments] = await Promise.all([
          ask<{ title: string }>(`pulls/${number}`),
          ask<Comment[]>(`issues/${number}/comments?per_page=100`),
        ]);
        const gate = scene.executor.runs.findLast((run) => run.workflowFile === "gate.yml" && run.headSha === headSha);
        return {
          number,
          title,
          author,
          branch: headRepository === repository ? headRef : `${headRepository.owner}:${headRef}`,
          state: merged !== null ? ("merged" as const) : closed ? ("closed" as const) : ("open" as const),
          check: gate === undefined ? null : (gate.conclusion ?? gate.status.replaceAll("_", " ")),
          comments: comments.map(({ body, user }) => ({
            author: user.login,
            html: onThisPage(scene, htmlOfMarkdown(body)),
          })),
        };
      },
    ),
  );
  const messages = scene.telegram.state.messages
    .filter((one) => one.chat === chat)
    .map((one) => ({
      id: one.message_id,
      from: one.from.first_name,
      bot: one.from.is_bot,
      html: onThisPage(scene, htmlOfMessage(one)),
      at: one.date,
      edited: one.edits > 0,
      buttons: (one.markup?.inline_keyboard ?? []).map((row) =>
        row.map((button) => ({
          text: String(button["text"]),
          url: typeof button["url"] === "string" ? onThisPage(scene, button["url"]) : null,
        })),
      ),
    }));
  const spaces = scene.hubs.all.map(({ space, domain }) => ({
    name: space.name,
    url: `http://${domain}`,
    stage: space.stage,
    version: space.live === null ? null : (space.deployed(space.live.sha)?.model?.version ?? null),
  }));
  return { stories, pulls, messages, spaces };
}
