import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { repositoryRoot } from "../actions/gate/runner.ts";

const read = (path: string) => readFileSync(join(repositoryRoot, path), "utf8");
const folder = ".github/ISSUE_TEMPLATE";
const forms = readdirSync(join(repositoryRoot, folder)).filter((name) => name !== "config.yml");

type Field = { type: string; id?: string; attributes?: { label?: string; options?: unknown[]; value?: string } };
type Form = { name?: string; description?: string; body?: Field[] };

describe.each(forms)("the form %s", (name) => {
  const { name: title, description, body = [] } = parse(read(`${folder}/${name}`)) as Form;
  const fields = body.filter(({ type }) => type !== "markdown");

  it("has what GitHub asks of a form", () => {
    expect([title, description].every((text) => typeof text === "string" && text !== "")).toBe(true);
    expect(
      body.map(({ type }) => type).filter((type) => !/^(markdown|textarea|input|dropdown|checkboxes)$/.test(type)),
    ).toEqual([]);
    expect(fields.length).toBeGreaterThan(0);
    expect(fields.filter(({ id, attributes }) => !/^[\w-]+$/.test(id ?? "") || !attributes?.label)).toEqual([]);
    for (const key of [(one: Field) => one.id, (one: Field) => one.attributes?.label])
      expect(new Set(fields.map(key)).size).toBe(fields.length);
    expect(body.filter(({ type, attributes }) => type === "dropdown" && !attributes?.options?.length)).toEqual([]);
  });
});

it("every path of CODEOWNERS exists", () => {
  const paths = read(".github/CODEOWNERS")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(/\s+/)[0]!);
  expect(paths.filter((path) => path !== "*" && !existsSync(join(repositoryRoot, path)))).toEqual([]);
});

it("dependency updates know every Dockerfile, and wait some days", () => {
  type Update = {
    "package-ecosystem": string;
    directory?: string;
    directories?: string[];
    cooldown?: { "default-days"?: number };
  };
  const { updates } = parse(read(".github/dependabot.yml")) as { updates: Update[] };
  expect(updates.map((one) => one["package-ecosystem"])).toEqual(["npm", "github-actions", "docker"]);
  expect(updates.filter(({ cooldown }) => !((cooldown?.["default-days"] ?? 0) >= 7))).toEqual([]);
  const own = ["bot/Dockerfile", "spaces/Dockerfile"];
  expect(own.filter((path) => existsSync(join(repositoryRoot, path)))).toEqual(own);
  expect(updates[2]?.directories).toEqual(own.map((path) => `/${dirname(path)}`));
});
