import { createRequire as __sluiceCreateRequire } from "node:module";
const require = __sluiceCreateRequire(import.meta.url);
const __sluiceFilename = import.meta.filename;
import"./chunk-shared.js";import"./chunk-shared-2.js";import{Readable}from"stream";import{createHash}from"crypto";async function*sha256Node(buffer,opts){let sha256Stream=createHash("sha256"),size=buffer instanceof Blob?buffer.size:buffer.byteLength,done=0,readable=buffer instanceof Blob?Readable.fromWeb(buffer.stream()):Readable.from(Buffer.from(buffer));for await(let buffer2 of readable)sha256Stream.update(buffer2),done+=buffer2.length,yield done/size,opts?.abortSignal?.throwIfAborted();return sha256Stream.digest("hex")}export{sha256Node};
