/**
 * The JSON Schema of a model's row → the fields of its form.
 * @typedef {"text" | "number" | "string" | "boolean" | "date" | "number-list" | "image" | "audio" | "json"} FieldKind
 * @typedef {{
 *   name: string, kind: FieldKind, required: boolean, min?: number, max?: number, length?: number,
 *   maxCharacters?: number, maxTokens?: number, choices?: string[], shape?: number[], list?: boolean, gaps?: boolean,
 * }} Field
 */

/**
 * @param {any} schema of one row: an object with properties
 * @returns {Field[]} in the schema's order
 */
export function readFields(schema) {
  const required = new Set(schema?.required ?? []);
  return Object.entries(schema?.properties ?? {}).map(([name, property]) => ({
    name,
    required: required.has(name),
    ...kindOf(withoutNull(property)),
  }));
}

/** @param {any} property @returns {any} its schema when it is given; null only says that it may be missing */
function withoutNull(property) {
  const choices = property?.anyOf ?? property?.oneOf;
  if (Array.isArray(choices)) return choices.find((one) => one?.type !== "null") ?? {};
  return Array.isArray(property?.type)
    ? { ...property, type: property.type.find((/** @type {string} */ type) => type !== "null") }
    : (property ?? {});
}

/** A string with a higher limit is a text; up to it, a name or a category. */
const LINE = 120;

/** @param {any} property @returns {Omit<Field, "name" | "required">} */
function kindOf(property) {
  switch (property.type) {
    case "boolean":
      return { kind: "boolean" };
    case "number":
    case "integer":
      return { kind: "number", ...defined({ min: property.minimum, max: property.maximum }) };
    case "string":
      if (property.format === "date") return { kind: "date" };
      if (property.format === "key") return { kind: "string" };
      if (
        String(property.contentMediaType ?? "").startsWith("image/") ||
        String(property.description ?? "").includes("bytes of an image")
      )
        return { kind: "image" };
      if (property["x-audio"] === true) return { kind: "audio" };
      if (property.maxLength > LINE)
        return {
          kind: "text",
          maxCharacters: property.maxLength,
          ...defined({ maxTokens: property["x-max-tokens"] }),
        };
      return { kind: "string", ...defined({ choices: (property.enum ?? property.examples)?.map(String) }) };
    case "array":
      if (property.items?.type === "number" || property.items?.type === "integer")
        return {
          kind: "number-list",
          ...defined({ length: property.maxItems === property.minItems ? property.maxItems : undefined }),
        };
      // Numbers, some of which may be null.
      if (isNumber(withoutNull(property.items)) && !isNumber(property.items))
        return { kind: "number-list", gaps: true };
      return innermost(property)?.type === "number" || innermost(property)?.type === "integer"
        ? { kind: "json", shape: shapeOf(property) }
        : { kind: "json", list: true };
    default:
      return { kind: "json" };
  }
}

/** @param {any} property */
const isNumber = (property) => property?.type === "number" || property?.type === "integer";

/** @param {any} property @returns {any} what the innermost list holds */
function innermost(property) {
  return property?.type === "array" ? innermost(property.items) : property;
}

/** @param {any} property @returns {number[]} sizes of nested lists */
function shapeOf(property) {
  return property?.type === "array" ? [property.maxItems ?? 0, ...shapeOf(property.items)] : [];
}

/**
 * @template {object} T
 * @param {T} facts
 * @returns {{ [K in keyof T]?: Exclude<T[K], undefined> }} without undefined members
 */
function defined(facts) {
  return /** @type {any} */ (Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)));
}
