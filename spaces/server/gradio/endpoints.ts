import type { Serving } from "../http/context.ts";
import type { ServedModel } from "../serving/served-model.ts";

/** A field of a model's row as a parameter: in the row schema's order. */
type Parameter = { name: string; required: boolean; schema: JsonSchema; file: "Image" | "Audio" | null };
/** One model as Gradio's clients see it: a function of its fields that returns the model's JSON. */
export type Endpoint = { api: string; model: ServedModel; parameters: Parameter[]; example: Record<string, unknown> };

type JsonSchema = { type?: string | string[]; description?: string; default?: unknown; enum?: unknown[] };

/** Every model that is ready: the default one as "predict", and each by its id. */
export function endpoints({ registry }: Pick<Serving, "registry">): Endpoint[] {
  const fallback = registry.defaultSlot();
  return registry.slots().flatMap(({ id, state }) => {
    if (state.kind !== "ready") return [];
    const { model } = { model: state.model };
    const card = model.card() as {
      input?: { schema?: { properties?: Record<string, JsonSchema>; required?: string[] } };
    };
    const { properties = {}, required = [] } = card.input?.schema ?? {};
    const parameters = Object.entries(properties).map(([name, schema]) => ({
      name,
      schema,
      required: required.includes(name),
      file: model.imageFields.some((field) => field.name === name)
        ? ("Image" as const)
        : model.audioFields?.some((field) => field.name === name) === true
          ? ("Audio" as const)
          : null,
    }));
    const one = { model, parameters, example: (model.example ?? {}) as Record<string, unknown> };
    return [...(id === fallback.id && id !== "predict" ? [{ api: "predict", ...one }] : []), { api: id, ...one }];
  });
}

const typeOf = ({ schema }: Parameter) => {
  const type = [schema.type ?? "object"].flat().find((each) => each !== "null") ?? "object";
  return type === "integer" ? "number" : type;
};

function componentOf(parameter: Parameter): string {
  if (parameter.file !== null) return parameter.file;
  const components: Record<string, string> = { string: "Textbox", number: "Number", boolean: "Checkbox" };
  return components[typeOf(parameter)] ?? "Api";
}

const fileType = { type: "object", description: "a file, as upload gives it" };

/** What Gradio's clients read first (`/config`): components and functions, none of which is queued. */
export function configuration(version: string, all: readonly Endpoint[]): Record<string, unknown> {
  const components: object[] = [];
  const add = (type: string, label: string) => {
    const id = components.length + 1;
    components.push({
      id,
      type: type.toLowerCase(),
      props: { label, name: type.toLowerCase() },
      component_class_id: type,
    });
    return id;
  };
  const dependencies = all.map(({ api, parameters }, id) => ({
    id,
    targets: [],
    inputs: parameters.map((parameter) => add(componentOf(parameter), parameter.name)),
    outputs: [add("JSON", "answer")],
    backend_fn: true,
    queue: false,
    api_name: api,
    api_visibility: "public",
    show_api: true,
    batch: false,
    cancels: [],
    types: { generator: false, cancel: false },
    connection: "sse",
  }));
  return {
    version: "5.0.0",
    server: `sluice ${version}`,
    api_prefix: "/gradio_api",
    protocol: "sse_v3",
    enable_queue: false,
    connect_heartbeat: false,
    is_space: false,
    space_id: null,
    auth_message: null,
    analytics_enabled: false,
    run_history: false,
    mode: "interface",
    title: "Sluice",
    components,
    dependencies,
  };
}

/** Names, types and examples of every function (`/gradio_api/info`). */
export function information(all: readonly Endpoint[]): Record<string, unknown> {
  return {
    named_endpoints: Object.fromEntries(
      all.map(({ api, parameters, example }) => [
        `/${api}`,
        {
          parameters: parameters.map((parameter) => {
            const type =
              parameter.file !== null
                ? fileType
                : { ...parameter.schema, description: parameter.schema.description ?? "" };
            return {
              label: parameter.name,
              parameter_name: parameter.name,
              parameter_has_default: !parameter.required,
              ...(parameter.required ? {} : { parameter_default: parameter.schema.default ?? null }),
              type,
              python_type: { type: typeOf(parameter), description: parameter.schema.description ?? "" },
              component: componentOf(parameter),
              example_input: example[parameter.name] ?? null,
            };
          }),
          returns: [
            {
              label: "answer",
              type: { type: "object", description: "the model's JSON" },
              python_type: { type: "dict", description: "the model's JSON" },
              component: "JSON",
            },
          ],
        },
      ]),
    ),
    unnamed_endpoints: {},
  };
}
