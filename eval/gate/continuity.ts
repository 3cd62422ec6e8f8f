import type { BaseModel, BaseModels } from "./base-models.ts";

/** A candidate as far as this matters: who it is, whom it follows, and where it lies from the top level. */
type Candidate = { id: string; formerly?: string | undefined; folder: string };

/** A model of the base that no single candidate continues. `why` and `instead` are sentences without a full stop. */
export type Ended = { model: BaseModel; why: string; instead: string };

export type Continuity = {
  /** Candidate's id → the base's model that it continues. A candidate that is not in it is a first version. */
  continues: ReadonlyMap<string, BaseModel>;
  ended: readonly Ended[];
  /** Models of the base that a change took out, and that the base itself had retired. */
  retired: readonly string[];
};

/**
 * Which candidate continues which model of the base. Models are matched by id, never by folder: a model keeps its exam
 * wherever it is moved to, and whatever is put into its place gets none of its standing.
 *
 * @param base the models by whose settings candidates are judged; null: there is no base
 * @param branchPoint ids at the commit that the change starts from. A model that the base branch got since then is not
 *   missing from the change; null: every model of the base was there
 */
export function continuity(
  base: BaseModels | null,
  branchPoint: ReadonlySet<string> | null,
  candidates: readonly Candidate[],
): Continuity {
  const continues = new Map<string, BaseModel>();
  const ended: Ended[] = [];
  const retired: string[] = [];
  if (base === null) return { continues, ended, retired };
  const known = new Set(base.models.map(({ id }) => id));
  for (const model of base.models) {
    // A model whose own id the base has continues that one, so that `formerly` may stay in a file for good.
    const claims = candidates.filter(
      ({ id, formerly }) => id === model.id || (formerly === model.id && !known.has(id)),
    );
    if (claims.length === 1) {
      continues.set(claims[0]!.id, model);
      continue;
    }
    if (claims.length === 0 && base.retired.includes(model.id)) retired.push(model.id);
    else if (claims.length > 1)
      ended.push({
        model,
        why: `${claims.map(({ id, folder }) => `${id} in ${folder}`).join(" and ")} both continue ${model.id} (an id, or \`formerly\`)`,
        instead: `let one model have the id ${model.id} or say \`formerly: ${model.id}\``,
      });
    else if (branchPoint?.has(model.id) !== false) ended.push({ model, ...missingModel(model, candidates) });
  }
  return { continues, ended, retired };
}

function missingModel(model: BaseModel, candidates: readonly Candidate[]): Omit<Ended, "model"> {
  const instead = candidates.find(({ folder }) => folder === model.folder);
  return {
    why: `${model.id} is gated at the base (${model.folder}), and no model of this change has its id${instead === undefined ? "" : `; its folder holds ${instead.id} now`}`,
    instead: `to rename it, say \`formerly: ${model.id}\` in the model.yaml of ${instead?.id ?? "its successor"}; to give it up, first merge \`retired: [${model.id}]\` in sluice.yaml by itself, and remove it afterwards`,
  };
}
