/** A part of the document that may be shortened by leaving out whole items (table rows, list entries), or left out. */
export type Section = {
  /** What is left out when it does not fit, in a fixed word of ours. */
  name: string;
  /** Lower goes first when room is short. */
  priority: number;
  /** Sections of one group need the group's `heads` section: without it they are left out too. */
  group: string;
  heads?: boolean;
  open: string;
  items: string[];
  close: string;
  /** Says, inside the section, how many items are missing. */
  more: (left: number) => string;
};

/**
 * The sections in their given order, shortened by priority to at most `room` characters. Only whole items are left
 * out, so a row, a tag or a fence is never cut; a shortened section says how much is missing, and the names of those
 * left out entirely are returned.
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
