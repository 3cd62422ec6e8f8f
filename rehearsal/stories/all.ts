import { forecasting, fraud, mood, recommendation, virality, type System } from "../scene/systems.ts";
import { answersWrongly } from "./answers-wrongly.ts";
import { forks } from "./fork.ts";
import { improves } from "./improves.ts";
import { loosens } from "./loosens.ts";
import { outages } from "./outages.ts";
import { rollBack } from "./roll-back.ts";
import { rejects } from "./rejects.ts";
import type { Story } from "./story.ts";
import { slice, slower, tooFew } from "./undecided.ts";
import { watched } from "./watched.ts";
import { worseThenFixed } from "./worse-then-fixed.ts";

const bySystems = (story: (system: System) => Story): Story[] => [story(mood), { ...story(virality), beside: true }];

export const stories: readonly Story[] = [
  ...bySystems(improves),
  { ...improves(recommendation), beside: true },
  { ...improves(forecasting), beside: true },
  { ...improves(fraud), beside: true },
  ...bySystems(worseThenFixed),
  slice,
  slower,
  tooFew,
  loosens,
  forks,
  ...bySystems(answersWrongly),
  rollBack,
  outages,
  rejects,
  watched,
];
