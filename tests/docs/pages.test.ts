import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { anchorsOf, linksOf, pages, prose, read, root } from "./pages.ts";

/** First folders of paths that pages name in running text. */
const folders = "actions bench bot cli deploy eval github models predict rehearsal schemas scripts spaces tests";

describe("the pages", () => {
  it("link only to what is there", () => {
    const links = pages.flatMap((page) => linksOf(page, read(page)));
    expect(links.length).toBeGreaterThan(200);
    const broken = links.filter(
      ({ path, anchor }) =>
        !existsSync(join(root, path)) ||
        (anchor !== null && path.endsWith(".md") && !anchorsOf(read(path)).has(anchor)),
    );
    expect(broken.map(({ page, link }) => `${page}: ${link}`)).toEqual([]);
  });

  it("name only files that are there", () => {
    const named = pages
      .filter((page) => page !== "CHANGELOG.md")
      .flatMap((page) =>
        [...prose(read(page)).matchAll(/`((?:\w[\w-]*\/)+[\w.-]+\.(?:ts|mjs|js|json|yaml|py))`/g)]
          .map(([, path]) => path!)
          .filter((path) => folders.split(" ").includes(path.split("/")[0]!) && !/NAME/.test(path))
          .filter((path) => !existsSync(join(root, path)))
          .map((path) => `${page}: ${path}`),
      );
    expect(named).toEqual([]);
  });

  it("are all in the index", () => {
    const inDocs = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md") && name !== "README.md");
    const linked = linksOf("docs/README.md", read("docs/README.md")).map(({ path }) => path);
    expect(inDocs.filter((name) => !linked.includes(`docs/${name}`))).toEqual([]);
    const records = readdirSync(join(root, "docs/decisions")).filter((name) => /^\d/.test(name));
    const listed = linksOf("docs/decisions/README.md", read("docs/decisions/README.md")).map(({ path }) => path);
    expect(records.map((name) => `docs/decisions/${name}`)).toEqual(listed);
  });
});

describe("the glossary", () => {
  const words = [...read("docs/glossary.md").matchAll(/^- \*\*(.+?)\*\*:/gm)].map(([, word]) =>
    word!.replaceAll("`", "").toLowerCase(),
  );

  it("is in alphabetical order, each word once", () => {
    expect(words.length).toBeGreaterThan(100);
    expect(words).toEqual([...new Set(words)].toSorted());
  });
});

describe("the page of the architecture", () => {
  /** `| `deploy` | `models`, `eval` |` → deploy: models, eval. */
  const table = (page: string) =>
    new Map(
      [...page.matchAll(/^\| `([\w/]+)` \| (nothing|`[\w/`, ]+`) \|$/gm)].map(([, room, others]) => [
        room!,
        [...others!.matchAll(/`([\w/]+)`/g)].map(([, name]) => name!).toSorted(),
      ]),
    );

  it("says of who may import whom what the test of the rooms holds", () => {
    const source = read("tests/architecture/rooms.test.ts");
    const rooms = /const rooms: [^{]*\{\n([\s\S]*?)\n\};/.exec(source)![1]!;
    const there = (name: string) => existsSync(join(root, name));
    const quoted = (text: string) => [...text.matchAll(/"([^"]+)"/g)].map(([, name]) => name!);
    const held = [...rooms.matchAll(/^ {2}"?([\w/]+)"?: \[(.*)\],$/gm)].map(
      ([, room, others]) => [room!, quoted(others!).filter(there).toSorted()] as const,
    );
    const stated = table(read("docs/architecture.md"));
    expect(held.length).toBeGreaterThan(5);
    for (const [room, others] of held.filter(([name]) => there(name)))
      expect([room, stated.get(room)?.filter(there)]).toEqual([room, others]);
  });
});

describe("anchorsOf", () => {
  it.each([
    ["## Before running: `sluice plan`", "before-running-sluice-plan"],
    ["# The int8 variant", "the-int8-variant"],
    ["## [A link](x.md), too", "a-link-too"],
  ])("%s", (heading, anchor) => {
    expect([...anchorsOf(heading)]).toEqual([anchor]);
  });

  it("counts headings that are alike, and passes over examples", () => {
    expect([...anchorsOf("# A\n\n```sh\n# B\n```\n\n# A\n")]).toEqual(["a", "a-1"]);
  });
});
