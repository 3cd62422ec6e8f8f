import { stringify } from "yaml";
import type { Deployed } from "./deployed.ts";

const frontMatter = /^---\n[\s\S]*?\n---\n/;

/**
 * The Space's README: front matter that the Hub reads, then the model's own card.
 *
 * @param template spaces/README.template.md, with {{names}} to fill in
 * @param card the model's README.md; its own front matter is dropped
 */
export function renderReadme(
  template: string,
  card: string | null,
  facts: { deployed: Omit<Deployed, "files">; title: string; description: string; license: string | null },
): string {
  const {
    deployed: { model, source },
  } = facts;
  // The Hub refuses a short description of more than 60 characters.
  const short = facts.description.length <= 60 ? facts.description : `${facts.description.slice(0, 57).trimEnd()}...`;
  const values: Record<string, string> = {
    title: scalar(facts.title),
    license: scalar((facts.license ?? "other").toLowerCase()),
    short_description: scalar(short),
    card: (card ?? `# ${facts.title}\n\n${facts.description}`).replace(frontMatter, "").trim(),
    model: model.id,
    version: model.version,
    sha256: model.sha256,
    commit: source.commit ?? "unknown",
  };
  return template.replaceAll(/\{\{(\w+)\}\}/g, (whole, name: string) => values[name] ?? whole);
}

function scalar(text: string): string {
  return stringify(text, { lineWidth: 0 }).trim();
}
