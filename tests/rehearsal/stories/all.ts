import { mood, virality } from "../scene/systems.ts";
import { answersWrongly } from "./answers-wrongly.ts";
import { forks } from "./fork.ts";
import { improves } from "./improves.ts";
import { loosens } from "./loosens.ts";
import { outages } from "./outages.ts";
import { rollBack } from "./roll-back.ts";
import { rejects } from "./rejects.ts";
import type { Story } from "./story.ts";
import { slice, slower, tooFew } from "./undecided.ts";
import { worseThenFixed } from "./worse-then-fixed.ts";

const systems = [mood, virality];

export const stories: readonly Story[] = [
  ...systems.map(improves), ...systems.map(worseThenFixed), slice, slower, tooFew, loosens, forks, ...systems.map(answersWrongly), rollBack, outages, rejects,
];
