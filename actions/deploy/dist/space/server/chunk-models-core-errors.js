import { createRequire as __sluiceCreateRequire } from "node:module";
const require = __sluiceCreateRequire(import.meta.url);
const __sluiceFilename = import.meta.filename;
var SluiceError=class extends Error{diagnostic;constructor(diagnostic,options){super(describeDiagnostic(diagnostic),options),this.name=new.target.name,this.diagnostic=diagnostic}get code(){return this.diagnostic.code}},ConfigurationError=class extends SluiceError{},EvaluationError=class extends SluiceError{};function describeDiagnostic(diagnostic){let first=diagnostic.place===void 0?diagnostic.problem:`${diagnostic.place}: ${diagnostic.problem}`,lines=[diagnostic.step===void 0?first:`step ${diagnostic.step}: ${first}`];diagnostic.expected!==void 0&&lines.push(`  expected: ${diagnostic.expected}`),diagnostic.received!==void 0&&lines.push(`  received: ${diagnostic.received}`),diagnostic.example!==void 0&&lines.push(`  example:  ${diagnostic.example.replaceAll(`
`,`
            `)}`),diagnostic.hint!==void 0&&lines.push(`  hint:     ${diagnostic.hint}`);for(let other of diagnostic.others??[])lines.push(describeDiagnostic(other));return lines.join(`
`)}export{SluiceError,ConfigurationError,EvaluationError};
