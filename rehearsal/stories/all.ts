import { forecasting, fraud, mood, recommendation, virality, type System } from "../scene/systems.ts";
import { answersWrongly } from "./answers-wrongly.ts";
import { forks } from "./fork.ts";
import { improves } from "./improves.ts";
import { loosens } from "./loosens.ts";
import { outages } from "./outages.ts";
import { rollBack } from "./roll-back.ts";
import { rejects } from "./rejects.ts";
import { goodRollout, pausedRollout, worseRollout } from "./rollout.ts";
import type { Story } from "./story.ts";
import { slice, slower, tooFew } from "./undecided.ts";
import { watched } from "./watched.ts";
import { worseThenFixed } from "./worse-then-fixed.ts";

const bySystems = (story: (system: System) => Story): Story[] => [
  story(mood),
  ...[virality, recommendation, forecasting, fraud].map((system): Story => ({ ...story(system), beside: true })),
];
/** In the test suite one table and one model with a picture are enough. */
const byTwoInTests = (story: (system: System) => Story): Story[] =>
  bySystems(story).map((one) =>
    one.system === mood.id || one.system === virality.id ? one : { ...one, rehearsalOnly: true },
  );

export const stories: readonly Story[] = [
  ...bySystems(improves),
  ...byTwoInTests(worseThenFixed),
  slice,
  slower,
  tooFew,
  loosens,
  forks,
  ...byTwoInTests(answersWrongly),
  rollBack,
  outages,
  rejects,
  goodRollout,
  worseRollout,
  pausedRollout,
  watched,
];
