import { answersWrongly } from "./answers-wrongly.ts";
import { improves } from "./improves.ts";
import { rollBack } from "./roll-back.ts";
import type { Story } from "./story.ts";
import { slice, slower, tooFew } from "./undecided.ts";
import { worseThenFixed } from "./worse-then-fixed.ts";

export const stories: readonly Story[] = [improves, worseThenFixed, slice, slower, tooFew, answersWrongly, rollBack];
