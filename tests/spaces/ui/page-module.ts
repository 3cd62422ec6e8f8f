/** A module of the page, which is plain JavaScript; the caller names the part of it that it uses. */
export async function pageModule<T>(name: string): Promise<T> {
  return (await import(/* @vite-ignore */ new URL(`../../../spaces/ui/${name}`, import.meta.url).href)) as T;
}
