/** Folder of the profiles below OUT. */
export const PROFILES = "profiles";
