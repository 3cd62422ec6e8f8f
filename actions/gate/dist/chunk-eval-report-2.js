import { createRequire as __sluiceCreateRequire } from "node:module";
const require = __sluiceCreateRequire(import.meta.url);
const __sluiceFilename = import.meta.filename;
import{augmentationTables,batchRows,betterArrow,byAttention,checkName,checkNumbers,checkWord,commonLevel,costSentence,count,counted,countedRows,datasetChangeText,falseRedSentence,figureRows,forestRow,forestScale,hasNoBaseline,honestCandidate,intervalHeading,metricsOf,nextSteps,oneLine,pText,percent,reproduceCommands,restsOnT,rulesText,severity,shortDigest,shownSignature,significant,sliceLosses,sliceRankings,sources,tally,taskTables,valueText,verdictMark,verdictMeaning,wearSentence}from"./chunk-eval-metrics.js";import{init_define_SLUICE_NATIVE_PINS}from"./chunk-define-SLUICE_NATIVE_PINS.js";init_define_SLUICE_NATIVE_PINS();init_define_SLUICE_NATIVE_PINS();var hidden="​";function markdownCut(text,maxLength){return finish(oneLine(text),maxLength)}function markdownCode(text,maxLength=200){let inner=markdownCut(text,maxLength);return inner===""?"":`<code>${inner}</code>`}function finish(text,maxLength){let inert=text.replace(/:\/\//g,`:${hidden}//`).replace(/www\./gi,found=>`${found.slice(0,3)}${hidden}.`).replace(/@/g,`@${hidden}`).replace(/#(?=\d)/g,`#${hidden}`).replace(/GH-(?=\d)/gi,found=>found+hidden),out="",kept="",characters=[...inert];for(let[i,character]of characters.entries()){let piece=isMarkup(character,characters[i-1],characters[i+1])?`&#${character.codePointAt(0)};`:character;if(out.length+1<=maxLength&&(kept=out),out+=piece,out.length>maxLength)return`${kept}…`}return out}function isMarkup(character,before,after){return/[\\`*{}[\]<>&|~$"]/.test(character)?!0:character==="_"?!isWord(before)||!isWord(after):before===void 0?/[-+#=]/.test(character):/[.)]/.test(character)&&/\d/.test(before)&&(after===void 0||after===" ")}function isWord(character){return character!==void 0&&/[\p{L}\p{N}]/u.test(character)}init_define_SLUICE_NATIVE_PINS();function fitSections(sections,room){let placed=new Map,omitted=new Set,left=room;for(let section of[...sections].sort((a,b)=>a.priority-b.priority)){let text=section.heads===!0||section.group===""||sections.some(one=>one.heads===!0&&one.group===section.group&&placed.has(one))?shorten(section,left):null;text===null?omitted.add(section.name):(placed.set(section,text),left-=text.length)}return{text:sections.map(section=>placed.get(section)??"").join(""),omitted:[...omitted]}}function shorten(section,room){let{open,items,close,more}=section,frame=open.length+close.length;if(items.reduce((sum,item)=>sum+item.length,frame)<=room)return open+items.join("")+close;let reserve=frame+more(items.length).length,used=0,taken=0;for(let item of items){if(reserve+used+item.length>room)break;used+=item.length,taken+=1}return taken===0?null:open+items.slice(0,taken).join("")+more(items.length-taken)+close}init_define_SLUICE_NATIVE_PINS();init_define_SLUICE_NATIVE_PINS();function intervalBar(row2,scale){let place=x=>8+Math.round(8*scale.place(x)),cells=Array.from({length:17},()=>"·");cells[8]="┊";for(let i=place(row2.low);i<=place(row2.high);i+=1)cells[i]="━";for(let bound of row2.bounds)cells[place(bound)]="┃";return cells[place(row2.point)]="●",row2.low<-scale.end&&(cells[0]="◂"),row2.high>scale.end&&(cells[16]="▸"),cells.join("")}init_define_SLUICE_NATIVE_PINS();var shown=12;function taskSections(heads,group){return heads.flatMap(data=>(taskTables(data)?.tables??[]).map(({name,about,columns,rows,left})=>{let of=heads.length>1?` of ${markdownCut(data.head,60)}`:"",beyond=left+Math.max(0,rows.length-shown);return{name:"answers",priority:42,group,open:`
<details><summary>${name}${of}</summary>

${about}

| ${columns.map(({title})=>title).join(" | ")} |
| ${columns.map(({numeric})=>numeric?"--:":"---").join(" | ")} |
`,items:rows.slice(0,shown).map(cells=>`| ${cells.map(cellText).join(" | ")} |
`),close:`${beyond===0?"":`
${counted(beyond,"more row")}, of which report.html has the first.
`}
</details>
`,more:n=>`
… ${counted(n,"more row")} in report.html
`}}))}function cellText(one){return"lines"in one?one.lines.map(({label,pieces,list})=>`<sub>${label}</sub> ${pieces.map(pieceText).join(list?", ":" ")}`).join("<br>"):`${markdownCut(one.text,80)}${one.aside===void 0?"":` ${markdownCut(one.aside,60)}`}`}var tags={plain:null,hit:"b",missing:"del",added:"ins"};function pieceText({text,kind}){let inner=markdownCut(text,100),tag=tags[kind];return tag===null?inner:`<${tag}>${inner}</${tag}>`}function overviewSection(models){return{name:"models",priority:0,group:"",open:table(["verdict","model","candidate","baseline","checks","why"]),items:models.map(one=>row([`${verdictMark[one.verdict]} ${one.verdict}`,markdownCut(one.model.id,100),markdownCut(one.model.version,60),one.baseline===null?"none":markdownCut(one.baseline.version,60),tally(one.checks),markdownCut(one.reason,300)])),close:`
`,more:left=>`
… ${counted(left,"more model")} in report.html
`}}function modelSections(model,metrics,group,only,heads){let ordered=byAttention(model.checks),scale=forestScale(ordered.map(forestRow).filter(one=>one!==null)),alone=ordered.filter(hasNoBaseline),open=ordered.filter(check=>check.verdict!=="PASS"&&!hasNoBaseline(check)),ownLevel=!sameLevel(open),passed=ordered.filter(check=>check.verdict==="PASS");return[headSection(model,group,only),...listOf(model.policyChanges.length===0?[]:model.policyChanges.map(change=>row([markdownCode(change.path),`${markdownCode(valueText(change.base))} → ${markdownCode(valueText(change.candidate))}`])),{name:"changed gate settings",priority:10,group,open:`
**This candidate changes the gate's settings.** It was judged by the first of each:

${table(["setting","base → candidate"])}`,close:`
`,more:left=>`
… ${counted(left,"more changed setting")} in report.html
`}),...dataSections(model,group),...rulesSections(model,group),...listOf(open.map(check=>checkLine(check,!0,scale,ownLevel)),{name:"checks that are not PASS",priority:11,group,open:`
${checkHead(open,!0,scale)}`,close:`
`,more:moreChecks}),...stepSection(model,group),...quietSection(passed,`${counted(passed.length,"check")} PASS`,open.length>0,group,scale),...quietSection(alone,`${counted(alone.length,"check")} without a baseline`,open.length>0,group,scale),...falseRedSection(model,group),...wearSection(model,group),...listOf(model.notes.map(note=>`- ${markdownCut(note,500)}
`),{name:"notes",priority:20,group,open:`
**Notes**

`,close:`
`,more:left=>`- … ${counted(left,"more note")} in report.html
`}),...augmentationSection(model,metrics,group),...lossSection(model,group),...sliceSection(model,metrics,group),...taskSections(heads,group),...performanceSections(model,metrics,group)]}function dataSections({datasetChange},group){if(datasetChange===void 0)return[];let{headline,facts,figures}=datasetChangeText(datasetChange);return[...listOf(facts.map(({what,text})=>row([markdownCut(what,100),markdownCut(text,300)])),{name:"changed data",priority:10,group,open:`
**${headline.replace(". ",".** ")}

${table(["data","base → candidate"])}`,close:`
`,more:left=>`
… ${counted(left,"more fact")} in report.html
`}),...listOf(figures.map(one=>row([one.who,`<code>${markdownCut(one.metric,120)}</code>`,one.slice==="all"?"all":markdownCode(one.slice,160),one.base,one.candidate])),{name:"figures on both versions of the data",priority:23,group,open:`
<details><summary>The same models on both versions of the data</summary>

${table(["model","metric","slice","on the base's rows","on the candidate's rows"])}`,close:`
</details>
`,more:left=>`
… ${counted(left,"more figure")} in report.html
`})]}function rulesSections({rules},group){if(rules===void 0)return[];let{headline,rules:list,figures}=rulesText(rules);return[...listOf(list.map(one=>row([markdownCode(one.id,80),one.fired,one.gained,one.lost,one.remark])),{name:"rules",priority:13,group,open:`
**${markdownCut(headline,300)}**

${table(["rule","rows","gained","lost",""])}`,close:`
`,more:left=>`
… ${counted(left,"more rule")} in report.html
`}),...listOf(figures.map(one=>row([`<code>${markdownCut(one.metric,120)}</code>`,one.without,one.withRules,one.difference])),{name:"figures with and without rules",priority:24,group,open:`
<details><summary>The model with its rules and without them</summary>

${table(["metric","without rules","with rules","difference"])}`,close:`
</details>
`,more:left=>`
… ${counted(left,"more figure")} in report.html
`})]}function falseRedSection(model,group){let sentence=falseRedSentence(model,honestCandidate(model));return sentence===null?[]:[whole({name:"expected false-red rate",priority:22,group,heads:!1,text:`
<sub>${markdownCut(sentence,500)}.</sub>
`})]}function wearSection(model,group){let sentence=wearSentence(model),text=`
<sub>${markdownCut(sentence??"",500)}</sub>
`;return sentence===null?[]:[whole({name:"wear of the test set",priority:23,group,heads:!1,text})]}function stepSection(model,group){return listOf(nextSteps(model).map(step=>`- ${withCode(step)}
`),{name:"what to do",priority:12,group,open:`
**What to do**

`,close:`
`,more:()=>""})}var spaced=(text,escaped)=>`${text.startsWith(" ")?" ":""}${escaped}${text.length>1&&text.endsWith(" ")?" ":""}`;function withCode(text){return text.split("`").map((part,i)=>i%2===1?markdownCode(part):spaced(part,markdownCut(part,400))).join("")}function headSection(model,group,only){let{baseline,dataset}=model,from=sources(model),facts=[model.model.task,dataset===null?"no dataset":`${countedRows(dataset)} of ${markdownCode(dataset.id,100)}${dataset.badRows>0?` (${counted(dataset.badRows,"unreadable row")})`:""}`,`candidate ${markdownCode(shortDigest(model.model.sha256),40)}`,...from.baseline===null?[]:[`${baseline===null?"no baseline":`baseline ${markdownCode(shortDigest(baseline.sha256),40)}`}: ${markdownCut(from.baseline,200)}`],...from.thresholds===null?[]:[`thresholds from ${markdownCut(from.thresholds,200)}`]],against=baseline===null?"without a baseline":`against ${markdownCut(baseline.version,60)}`,name=`${markdownCut(model.model.id,100)} ${markdownCut(model.model.version,60)}`,counts=model.checks.length===0?"":`${tally(model.checks)}.`,lead=only?counts:`
### ${verdictMark[model.verdict]} ${name} ${against}: ${model.verdict}

${markdownCut(model.reason,500)}${counts===""?"":` — ${counts}`}`;return whole({name:"models",priority:1,group,heads:!0,text:`${lead===""?"":`${lead}

`}<sub>${[...only&&from.baseline!==null?[against]:[],...facts].join(" · ")}</sub>
`})}var fewQuiet=6;function quietSection(checks,title,othersAreOpen,group,scale){let collapsed=othersAreOpen||checks.length>fewQuiet,withReason=checks.some(hasNoBaseline),head=checkHead(checks,withReason,scale),ownLevel=!sameLevel(checks);return listOf(checks.map(check=>checkLine(check,withReason,scale,ownLevel)),{name:withReason?"checks without a baseline":"checks that PASS",priority:21,group,open:collapsed?`
<details><summary>${title}</summary>

${head}`:`
${head}`,close:collapsed?`
</details>
`:`
`,more:moreChecks})}var sameLevel=checks=>commonLevel(checks.map(check=>check.interval))!==null;function checkHead(checks,withReason,scale){return table(["verdict","metric","slice","candidate","baseline",`difference, ${intervalHeading(checks.map(check=>check.interval))}`,"rule",scale.linear?"worse ┊ better":"worse ┊ better (log)",...withReason?["why"]:[]])}function checkLine(check,withReason,scale,ownLevel){let numbers=checkNumbers(check),unit=numbers.unit===""||check.metric.endsWith(`_${numbers.unit}`)?"":` ${markdownCut(numbers.unit,30)}`,level=check.interval===null||!ownLevel?"":` (${percent(check.interval.level)})`,forest=forestRow(check),signature=shownSignature(check),{verdict,text,aside}=checkWord(check);return row([`${verdict===null?"":`${verdictMark[verdict]} `}${text}${aside===""?"":` (${aside})`}`,`<code>${markdownCut(checkName(check),120)}</code>${betterArrow(check)}${unit}${signature===null?"":`<br><sub>${markdownCut(signature,200)}</sub>`}`,check.slice==="all"?"all":markdownCode(check.slice,160),check.kind==="limit"&&numbers.interval!==""?`${numbers.candidate} ${numbers.interval}${level}`:numbers.candidate,numbers.baseline,check.kind==="limit"?numbers.difference:`${numbers.difference} ${numbers.interval}${level}`.trim(),numbers.rule,forest===null?"":`<code>${intervalBar(forest,scale)}</code>`,...withReason?[markdownCut(check.reason,400)]:[]])}function augmentationSection(model,metrics,group){let{candidate,baseline}=metricsOf(metrics,model),number=value=>value===null?"—":significant(value);return augmentationTables(model,candidate,baseline).flatMap(({label,direction,all,rows})=>listOf(rows.map(one=>row([markdownCode(one.name,60),markdownCut(one.what,160),count(one.n),`${number(one.value)}${one.interval===null?"":` [${significant(one.interval.low)}, ${significant(one.interval.high)}]`}`,number(one.baseline)])),{name:"augmentations",priority:38,group,open:`
<details><summary>Altered copies of the rows by ${markdownCut(label,100)}: ${counted(rows.length,"augmentation")}</summary>

${table(["augmentation","what","rows",`<code>${markdownCut(label,120)}</code>${direction==="higher"?"↑":"↓"}, ${intervalHeading(rows.map(({interval})=>interval))}`,"baseline"])}`,close:`
All rows as they came: ${number(all)}.

</details>
`,more:n=>`
… ${counted(n,"more augmentation")} in report.html
`}))}var namedInNote=5;function lossSection({checks},group){let found=sliceLosses(checks);if(found===null||found.losses.length<=namedInNote)return[];let{losses,alpha}=found,shown2=losses.slice(0,Math.max(shownSlices,losses.filter(one=>one.regressed).length)),left=losses.length-shown2.length;return listOf(shown2.map(({check,p,adjusted,regressed})=>{let numbers=checkNumbers(check);return row([markdownCode(check.slice,120),`<code>${markdownCut(checkName(check),120)}</code>`,count(check.n),`${numbers.difference} ${numbers.interval}`.trim(),markdownCut(pText(p),20),markdownCut(pText(adjusted),20),regressed?"regressed":""])}),{name:"slices compared",priority:39,group,open:`
<details><summary>Which slices regressed: ${counted(losses.length,"comparison")}, the likeliest loss first</summary>

${table(["slice","metric","rows",`difference, ${intervalHeading(losses.map(({interval})=>interval))}`,"p","p, Holm",""])}`,close:`
The probability of naming any slice wrongly is at most ${percent(alpha)}${restsOnT(losses)?", about so where rows are few and errors skewed":""}.${left>0?` ${counted(left,"more comparison")} in report.html.`:""}

</details>
`,more:n=>`
… ${counted(n,"more comparison")} in report.html
`})}var shownSlices=12;function sliceSection(model,metrics,group){let{candidate,baseline}=metricsOf(metrics,model);return sliceRankings(candidate,baseline).flatMap(ranking=>{let left=ranking.slices.length-shownSlices,number=value=>value===null?"—":significant(value);return listOf(ranking.slices.slice(0,shownSlices).map(one=>row([markdownCode(one.slice,120),count(one.n),`${number(one.value)}${one.interval===null?"":` [${significant(one.interval.low)}, ${significant(one.interval.high)}]`}`,number(one.baseline),one.unranked===null?"":markdownCut(one.unranked,120)])),{name:"slices",priority:40,group,open:`
<details><summary>Slices of the candidate by ${markdownCut(ranking.label,100)}, the worst first</summary>

${table(["slice","rows",`<code>${markdownCut(ranking.label,120)}</code>${ranking.direction==="higher"?"↑":"↓"}, ${intervalHeading(ranking.slices.map(one=>one.interval))}`,"baseline","note"])}`,close:`
All rows: ${number(ranking.all)}.${left>0?` ${counted(left,"more slice")} in report.html.`:""}

</details>
`,more:n=>`
… ${counted(n,"more slice")} in report.html
`})})}function performanceSections(model,metrics,group){let{candidate,baseline}=metricsOf(metrics,model),sides=[candidate?.performance??null,baseline?.performance??null],batches=batchRows(...sides);if(batches.length===0)return[];let figures=figureRows(...sides).map(one=>`${one.figure} ${one.candidate}${one.baseline==="—"?"":` (baseline ${one.baseline})`}`).map(text=>markdownCut(text,200)).join(" · "),cost=costSentence(...sides);return listOf(batches.map(one=>row([one.batch,one.who,one.p50,one.p95,one.p99,one.rowsPerSecond])),{name:"latency",priority:41,group,open:`
<details><summary>Latency, memory and size</summary>

${figures}

${cost===null?"":`${withCode(cost)}

`}${table(["batch","model","p50 ms","p95 ms","p99 ms","rows/s"])}`,close:`
</details>
`,more:left=>`
… ${counted(left,"more row")} in report.html
`})}function moreChecks(left){return`
… ${counted(left,"more check")} in report.html
`}function listOf(items,frame){return items.length===0?[]:[{...frame,items}]}function whole({text,...frame}){return{...frame,open:text,items:[],close:"",more:()=>""}}function table(heads){return row(heads)+row(heads.map(()=>"---"))}function row(cells){return`| ${cells.join(" | ")} |
`}function renderMarkdown(verdict,metrics,options={}){let{maxCharacters=6e4,runUrl=null,marker=null,heads=[]}=options;if(marker!==null&&!/^<!-- (?:(?!--)[\w.,:=/ -])+ -->$/.test(marker))throw new TypeError(`not one plain HTML comment: ${marker}`);let report=runUrl!==null&&/^https?:\/\/[^\s<>"'()|\\]{1,400}$/.test(runUrl)?`[report.html](${runUrl})`:"report.html",[only]=verdict.models,alone=verdict.models.length===1&&only!==void 0,subject=alone?`${markdownCut(only.model.id,100)} ${markdownCut(only.model.version,60)}`:`${verdict.models.length} models`,head=[...marker===null?[]:[marker],`## ${verdictMark[verdict.verdict]} ${verdict.verdict}: ${verdict.models.length===0?"nothing was evaluated":subject}`,"",markdownCut(verdict.reason,500),...verdict.verdict==="PASS"||verdict.verdict==="FAIL"?[]:["",`${verdict.verdict} means: ${verdictMeaning[verdict.verdict]}.`],"",""].join(`
`),foot=`
<sub>Sluice ${markdownCut(verdict.sluiceVersion,40)}${verdict.commit===null?"":` · commit <code>${markdownCut(verdict.commit.slice(0,12),40)}</code>`} · every figure with its plots: ${report}</sub>
`,models=[...verdict.models].sort((a,b)=>severity.indexOf(b.verdict)-severity.indexOf(a.verdict)),sections=[...models.length>1?[overviewSection(models)]:[],...models.flatMap((model,i)=>modelSections(model,metrics,`model ${i}`,alone,heads.filter(({modelId})=>modelId===model.model.id))),...reproduceSection(verdict)],notice=names=>names.length===0?"":`
… did not fit here: ${names.join(", ")}. All of it is in report.html.
`,reserve=notice([...new Set(sections.map(({name})=>name))]).length,{text,omitted}=fitSections(sections,maxCharacters-head.length-foot.length-reserve),whole2=head+text+notice(omitted)+foot;return whole2.length<=maxCharacters?whole2:head.length<=maxCharacters?head:verdict.verdict.slice(0,Math.max(0,maxCharacters))}function reproduceSection(verdict){let commands=reproduceCommands(verdict);return commands.length===0?[]:[{name:"how to reproduce",priority:30,group:"",open:`
<details><summary>Reproduce on your machine (latency aside)</summary>

\`\`\`sh
`,items:commands.map(line=>`${line}
`),close:"```\n\n</details>\n",more:left=>`# … ${left} more models
`}]}export{renderMarkdown};
