import type { NormaliserName } from "../../../models/core/manifest/metric-options.ts";
import { lower } from "./lower.ts";
import { lowerNoPunctuation } from "./lower-no-punctuation.ts";
import { lowerPunctuationSpace } from "./lower-punctuation-space.ts";
import { none } from "./none.ts";
import type { Normaliser } from "./normaliser.ts";
import { whisperBasic } from "./whisper-basic.ts";

export const normalisers: Record<NormaliserName, Normaliser> = {
  none,
  lower,
  "lower-no-punctuation": lowerNoPunctuation,
  "lower-punctuation-space": lowerPunctuationSpace,
  "whisper-basic": whisperBasic,
};
