import { improves } from "./improves.ts";
import type { Story } from "./story.ts";
import { slice, slower, tooFew } from "./undecided.ts";
import { worseThenFixed } from "./worse-then-fixed.ts";

export const stories: readonly Story[] = [improves, worseThenFixed, slice, slower, tooFew];
