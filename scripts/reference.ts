import { z } from "zod";
import { configuration } from "../eval/schema/configuration.ts";
import { manifest } from "../models/core/manifest/manifest.ts";
import { manifestExamples } from "../models/core/manifest/manifest-examples.ts";
import { exampleAt, type Examples } from "../models/core/manifest/schema-example.ts";

type Schema = {
  type?: string | string[];
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: Schema | boolean;
  $ref?: string;
  $defs?: Record<string, Schema>;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
};

type Page = { path: string; file: string; title: string; intro: string; schema: z.ZodType; examples: Examples };

/** The pages that describe configuration, by the schemas that validate it. */
const pages: readonly Page[] = [
  {
    path: "docs/reference-model.md",
    file: "model.yaml",
    title: "Every key of model.yaml",
    intro:
      "What a model is: its file, how a row becomes its inputs, what its outputs mean, which rows judge it, and what a change\nmay lose. [models.md](models.md) leads through writing one, and `sluice init` writes the first.",
    schema: manifest,
    examples: manifestExamples,
  },
  {
    path: "docs/reference-sluice.md",
    file: "sluice.yaml",
    title: "Every key of sluice.yaml",
    intro: "Which models a repository keeps, where they are deployed, and what all of them share.",
    schema: configuration,
    examples: {},
  },
];

/** Every page as it follows from the schemas. */
export function referencePages(): { path: string; text: string }[] {
  return pages.map((page) => ({ path: page.path, text: render(page) }));
}

type Row = { key: string; type: string; standard: string; says: string; example: string };
type Section = { title: string; says: string; rows: Row[] };

function render({ title, intro, schema, examples, file }: Page): string {
  const root = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Schema;
  const sections: Section[] = [];
  walk(root, [], { root, sections, schema, examples }, `The top of ${file}`);
  const lines = [
    `# ${title}`,
    "",
    `<!-- Written by \`npm run schemas\` from the schema that validates ${file}. Change the schema. -->`,
    "",
    intro,
    "",
    "A key without a default is optional unless it says *required*. `*` stands for a name of yours, `[]` for an item of a",
    "list.",
    "",
    ...sections.flatMap(({ title: name, says, rows }) => [
      `## ${name}`,
      "",
      ...(says === "" ? [] : [says, ""]),
      "| key | type | default | what it says | example |",
      "| --- | --- | --- | --- | --- |",
      ...rows.map(
        ({ key, type, standard, says: text, example }) =>
          `| ${[`\`${key}\``, type, standard, text, example].map(cell).join(" | ")} |`,
      ),
      "",
    ]),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

type Walk = { root: Schema; sections: Section[]; schema: z.ZodType; examples: Examples };

/** One section for an object, then one for each object below it, with the members of unions apart. */
function walk(schema: Schema, path: readonly (string | number)[], context: Walk, title: string): void {
  const { root, sections } = context;
  const section: Section = { title, says: schema.description ?? "", rows: [] };
  sections.push(section);
  const below: (() => void)[] = [];
  for (const [key, given] of Object.entries(schema.properties ?? {})) {
    if (key === "$schema") continue;
    const one = resolved(given, root);
    const at = [...path, key];
    section.rows.push({
      key,
      type: typeOf(one, root),
      standard:
        one.default !== undefined
          ? `\`${JSON.stringify(one.default)}\``
          : schema.required?.includes(key) === true
            ? "*required*"
            : "",
      says: given.description ?? one.description ?? "",
      example: exampleOf(at, schema, context),
    });
    for (const { schema: inner, at: where } of objectsIn(one, at, root))
      below.push(() => walk(inner, where, context, titleOf(where, inner, root)));
  }
  for (const go of below) go();
}

const shown = (path: readonly (string | number)[]) => path.map(String).join(".").replaceAll(".[]", "[]");

/** `preprocess.* of kind text` */
function titleOf(path: readonly (string | number)[], schema: Schema, root: Schema): string {
  const literal = Object.entries(schema.properties ?? {}).find(([, one]) => resolved(one, root).const !== undefined);
  const constant = literal === undefined ? undefined : resolved(literal[1], root).const;
  return `\`${shown(path)}\`${literal === undefined || typeof constant !== "string" ? "" : ` with \`${literal[0]}: ${constant}\``}`;
}

/** The objects with keys of their own that a value holds: itself, a list's items, a map's values, a union's members. */
function objectsIn(
  given: Schema,
  path: readonly (string | number)[],
  root: Schema,
): { schema: Schema; at: (string | number)[] }[] {
  const schema = resolved(given, root);
  if (schema.properties !== undefined) return [{ schema, at: [...path] }];
  if (schema.items !== undefined) return objectsIn(schema.items, [...path, "[]"], root);
  if (typeof schema.additionalProperties === "object")
    return objectsIn(schema.additionalProperties, [...path, "*"], root);
  return [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((one) => objectsIn(one, path, root));
}

function resolved(schema: Schema, root: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  const name = schema.$ref.split("/").at(-1)!;
  return { ...root.$defs?.[name], ...schema };
}

function typeOf(given: Schema, root: Schema): string {
  const schema = resolved(given, root);
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined)
    return schema.enum.length > 14
      ? `one of ${schema.enum.length} names`
      : schema.enum.map((one) => `\`${String(one)}\``).join(" ");
  const union = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  if (union.length > 0) return [...new Set(union.map((one) => typeOf(one, root)))].join(" or ");
  if (schema.properties !== undefined) return "keys";
  if (schema.items !== undefined) return `list of ${typeOf(schema.items, root)}`;
  if (typeof schema.additionalProperties === "object") return `map to ${typeOf(schema.additionalProperties, root)}`;
  const low = schema.minimum ?? schema.exclusiveMinimum;
  const high = schema.maximum ?? schema.exclusiveMaximum;
  const far = (value: number | undefined) => value === undefined || Math.abs(value) >= Number.MAX_SAFE_INTEGER;
  const bounds = [
    far(low) ? "" : `${schema.minimum === undefined ? ">" : "≥"} ${low}`,
    far(high) ? "" : `${schema.maximum === undefined ? "<" : "≤"} ${high}`,
  ].filter((one) => one !== "");
  const kind =
    { string: "text", integer: "whole number", number: "number", boolean: "true or false" }[String(schema.type)] ??
    "any value";
  return [kind, ...bounds].join(" ");
}

/** What the error about this very key would show as right. */
function exampleOf(path: readonly (string | number)[], owner: Schema, { schema, examples, root }: Walk): string {
  const real = path.map((part) => (part === "[]" ? 0 : part === "*" ? "name" : part));
  try {
    const found = exampleAt(schema, real, documentWith(real, owner, root), examples);
    const line = found?.replace(/ +#.*$/, "") ?? "";
    return line === "" || line.includes("\n") || line.length > 110 ? "" : `\`${line}\``;
  } catch {
    return "";
  }
}

/** A document that holds the literals of the object at hand, so that the right member of a union is found. */
function documentWith(path: readonly (string | number)[], owner: Schema, root: Schema): unknown {
  const literals = Object.fromEntries(
    Object.entries(owner.properties ?? {}).flatMap(([key, one]) => {
      const { const: value } = resolved(one, root);
      return value === undefined ? [] : [[key, value]];
    }),
  );
  return path
    .slice(0, -1)
    .reduceRight<unknown>((inner, part) => (typeof part === "number" ? [inner] : { [part]: inner }), literals);
}

const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ").replaceAll("<", "&lt;");
