import type { TokenizerName } from "../../../models/core/manifest/metric-options.ts";
import { tokenize13a } from "./13a.ts";
import { tokenizeChar } from "./char.ts";
import { tokenizeIntl } from "./intl.ts";
import { tokenizeNone } from "./none.ts";
import { tokenizeZh } from "./zh.ts";

export const tokenizers: Record<TokenizerName, (text: string) => string[]> = {
  "13a": tokenize13a,
  intl: tokenizeIntl,
  char: tokenizeChar,
  zh: tokenizeZh,
  none: tokenizeNone,
};
