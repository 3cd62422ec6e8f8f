import { createRequire as __sluiceCreateRequire } from "node:module";
const require = __sluiceCreateRequire(import.meta.url);
var Refused=class extends Error{name="Refused";reason;retryAfterMs;constructor(reason,message,retryAfterMs=1e3){super(message),this.reason=reason,this.retryAfterMs=retryAfterMs}};export{Refused};
