import { z } from "zod";
import { ConfigurationError } from "../../models/core/errors.ts";

/**
 * Reads inputs as the runner passes them: in variables INPUT_NAME, with the name in upper case.
 *
 * @throws ConfigurationError naming the input, what was expected and what came.
 */
export function readInputs<Shape extends z.ZodObject>(schema: Shape, env: NodeJS.ProcessEnv): z.infer<Shape> {
  const given: Record<string, string> = {};
  for (const name of Object.keys(schema.shape)) {
    const value = env[`INPUT_${name.toUpperCase()}`]?.trim();
    // The runner passes "" for an input that a workflow sets to an empty expression. Then the default applies.
    if (value !== undefined && value !== "") given[name] = value;
    else if (name === "token") given[name] = "";
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0] as z.core.$ZodIssue;
  const name = String(issue.path[0] ?? "");
  const description = describedInputs(schema).find((input) => input.name === name);
  throw new ConfigurationError({
    code: "input",
    problem: "the input is not valid",
    place: `input ${name}`,
    expected: description?.values ?? issue.message,
    received: JSON.stringify(given[name] ?? ""),
    example: `${name}: ${description?.default ?? ""}`,
  });
}

type DescribedInput = { name: string; default: string; description: string; values: string | null };

/** The inputs as data, for action.yml and the documentation. */
export function describedInputs(schema: z.ZodObject): DescribedInput[] {
  const { properties = {} } = z.toJSONSchema(schema, { io: "input" }) as {
    properties?: Record<string, { default?: string; description?: string; enum?: string[] }>;
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    default: property.default ?? "",
    description: property.description ?? "",
    values: property.enum?.join(", ") ?? null,
  }));
}
