import { environmentOf } from "./deployment.ts";

// What production served, and when, is a row of annotated tags MODEL-STAGE@TIME, of the commit that the version was
// made from. A tag MODEL@VERSION says only that some stage proved the version. None is ever moved: a return to an older
// version is a newer tag. They come with every clone, so that the gate knows production without asking anybody, and the
// ruleset for *@* that protects releases protects them as well.

/** Stages whose names begin so are production: production, prod, prod-eu. */
const productionStage = "prod";

/** How the names of all tags of a model's production begin. */
export function productionTagPrefix(model: string): string {
  return environmentOf(model, productionStage);
}

/** Whether a GitHub environment is a production of the model. */
export function isProduction(model: string, environment: string): boolean {
  return environment.startsWith(productionTagPrefix(model));
}

/** E.g. births-production@20261129T191053Z. */
export function productionTag(environment: string, provedAt: Date): string {
  return `${environment}@${provedAt.toISOString().replaceAll(/[-:]|\.\d+/g, "")}`;
}

/** When the version of such a tag was proved; null for the name of any other tag. */
export function productionTagTime(model: string, tag: string): Date | null {
  const name = /^(.*)@(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(tag);
  if (name === null || !isProduction(model, name[1]!)) return null;
  const [, , year, month, day, hour, minute, second] = name;
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time.getTime()) ? null : time;
}
