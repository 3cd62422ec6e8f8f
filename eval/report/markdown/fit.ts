/** A part of the document that may be left out, or shortened by leaving out whole items (table rows, list entries). */
export type Section = {
  /** Name for the notice of what was left out. It is our own text, never text from outside. */
  name: string;
  /** Sections with a lower number are placed first and so keep their space. */
  priority: number;
  /** Sections of a group need the section of that group with `heads`. Without it they are left out too. */
  group: string;
  heads?: boolean;
  open: string;
  items: string[];
  close: string;
  /** Says, inside the section, how many items are missing. */
  more: (left: number) => string;
};

/**
 * The sections in their given order, shortened to at most `room` characters; space goes to sections in order of
 * priority. Only whole items are left out, so a row, a tag or a fence is never cut. A shortened section says how much
 * is missing. The names of sections that are left out entirely are returned.
 */
export function fitSections(sections: readonly Section[], room: number): { text: string; omitted: string[] } {
  const placed = new Map<Section, string>();
  const omitted = new Set<string>();
  let left = room;
  for (const section of [...sections].sort((a, b) => a.priority - b.priority)) {
    const headed =
      section.heads === true ||
      section.group === "" ||
      sections.some((one) => one.heads === true && one.group === section.group && placed.has(one));
    const text = headed ? shorten(section, left) : null;
    if (text === null) omitted.add(section.name);
    else {
      placed.set(section, text);
      left -= text.length;
    }
  }
  return { text: sections.map((section) => placed.get(section) ?? "").join(""), omitted: [...omitted] };
}

function shorten(section: Section, room: number): string | null {
  const { open, items, close, more } = section;
  const frame = open.length + close.length;
  const whole = items.reduce((sum, item) => sum + item.length, frame);
  if (whole <= room) return open + items.join("") + close;
  const reserve = frame + more(items.length).length;
  let used = 0;
  let taken = 0;
  for (const item of items) {
    if (reserve + used + item.length > room) break;
    used += item.length;
    taken += 1;
  }
  return taken === 0 ? null : open + items.slice(0, taken).join("") + more(items.length - taken) + close;
}
