import { adviceLanguages, type AdviceLanguage } from "../../models/remote/advice.ts";

/** The most common function words of each language. Almost every sentence contains some, whatever it is about. */
const words: Record<AdviceLanguage, readonly string[]> = {
  de: "der die das und ist nicht ein eine einen einem zu du dir dich dein deine deinem ich mich mir es sie wir mit auf für von dem den im auch so wie aber hast bist sich als am was doch noch nach bei aus sehr".split(
    " ",
  ),
  en: "the of and to a in is it that was for on with as you your this be are have has had at by from not but what all were we when will would there they their been more if can so about do than its my me her his our how i i'm you're it's don't that's".split(
    " ",
  ),
  es: "el la los las de que y en un una es no por con para lo se su te tu tus me mi muy pero más como está eres has del al yo este esta esto hay ser cuando todo también".split(
    " ",
  ),
  fr: "le la les de des du et un une est pas que qui dans pour sur avec ce cette vous tu ton ta tes te je me mon ma mais plus il elle nous au aux ne en c'est j'ai es as comme très bien tout".split(
    " ",
  ),
  it: "il lo la gli le di che e è un una non per con in ti tu tuo tua mi io ma più come del della dei nel sono sei hai questo questa anche si se al molto così quando".split(
    " ",
  ),
  nl: "de het een en van is niet dat je jij jouw in op te met voor ik mij me mijn zijn hebt bent maar ook als er wat heel aan om dit die nog bij uit zo we hoe".split(
    " ",
  ),
  pt: "o a os as de que e em um uma é não por com para do da dos das no na se você te seu sua teu tua me meu minha mas mais como muito está isso este esta também quando eu".split(
    " ",
  ),
};

const wordsOf = (text: string) =>
  text
    .normalize("NFC")
    .toLowerCase()
    .replaceAll("’", "'")
    .match(/\p{L}+(?:'\p{L}+)*/gu) ?? [];

/** Word → the languages that have it. A word that only one language has says more than a word that three share. */
const owners = new Map<string, AdviceLanguage[]>();
for (const language of adviceLanguages)
  for (const word of words[language]) owners.set(word, [...(owners.get(word) ?? []), language]);

/**
 * The language whose function words the text contains most. A word that n languages share counts 1/n for each of them.
 * Works for a sentence or more; null when no such word occurs, or when two languages tie.
 */
export function languageOf(text: string): AdviceLanguage | null {
  const score = new Map<AdviceLanguage, number>();
  for (const word of wordsOf(text)) {
    const having = owners.get(word) ?? [];
    for (const language of having) score.set(language, (score.get(language) ?? 0) + 1 / having.length);
  }
  const [first, second] = [...score].sort((a, b) => b[1] - a[1]);
  return first === undefined || first[1] - (second?.[1] ?? 0) < 1e-9 ? null : first[0];
}

export function countWords(text: string): number {
  return wordsOf(text).length;
}
