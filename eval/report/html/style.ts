const light = `--bg:#fff;--panel:#f6f8fa;--line:#d1d9e0;--text:#1f2328;--faint:#59636e;--link:#0969da;
--PASS:#1a7f37;--FAIL:#cf222e;--INCONCLUSIVE:#8a5a00;--INCOMPARABLE:#8250df;--ERROR:#a40e26;
--plot-text:#1f2328;--plot-faint:#59636e;--plot-grid:#dfe4ea;--plot-surface:#fff;--plot-candidate:#0969da;--plot-baseline:#b35900;--plot-positive:#1a7f37;--plot-negative:#8250df;`;
const dark = `--bg:#0d1117;--panel:#161b22;--line:#30363d;--text:#e6edf3;--faint:#9aa4af;--link:#58a6ff;
--PASS:#3fb950;--FAIL:#ff6a62;--INCONCLUSIVE:#d9a122;--INCOMPARABLE:#bc8cff;--ERROR:#ff8f87;
--plot-text:#e6edf3;--plot-faint:#9aa4af;--plot-grid:#2a313a;--plot-surface:#0d1117;--plot-candidate:#58a6ff;--plot-baseline:#f0a35e;--plot-positive:#3fb950;--plot-negative:#bc8cff;`;

/** The report's only style sheet: system fonts, light or dark by the reader's preference, one column on a phone. */
export const style = `
:root{color-scheme:light dark;${light}--plot-PASS:var(--PASS);--plot-FAIL:var(--FAIL);--plot-INCONCLUSIVE:var(--INCONCLUSIVE);--plot-INCOMPARABLE:var(--INCOMPARABLE);--plot-ERROR:var(--ERROR);--plot-none:none}
@media (prefers-color-scheme:dark){:root{${dark}}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
main,header,footer{max-width:1080px;margin:0 auto;padding:0 20px}
h1,h2,h3{line-height:1.25;margin:0}
h2{font-size:1.45rem;margin-top:2.2rem}
h3{font-size:1.05rem;margin:2rem 0 .6rem}
p{margin:.4rem 0}
a{color:var(--link)}
code,.hash{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.88em}
.faint,small{color:var(--faint)}
.word{color:var(--word);font-weight:650;white-space:nowrap}
.banner{border:1px solid var(--line);border-left:8px solid var(--word);background:var(--panel);border-radius:8px;padding:18px 22px;margin:24px 0 8px}
.banner h1{font-size:1.35rem}.banner ul{margin:.6rem 0 0;padding-left:1.2rem}
.banner h1 .word{font-size:1.6rem;margin-right:.4rem}
${["PASS", "FAIL", "INCONCLUSIVE", "INCOMPARABLE", "ERROR"].map((word) => `.v-${word}{--word:var(--${word})}`).join("")}
.v-none{--word:var(--faint)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(220px,1fr));gap:10px 24px;margin:1rem 0}
.facts div{min-width:0}.facts dt{color:var(--faint);font-size:.82rem}.facts dd{margin:0}
table{border-collapse:collapse;width:100%}
th{font-size:.82rem;font-weight:600;color:var(--faint);text-align:left;vertical-align:bottom}
th,td{padding:6px 10px 6px 0;border-bottom:1px solid var(--line);vertical-align:top}
.n{text-align:right;white-space:nowrap}
.checks tr.lead td{border-bottom:0;padding-bottom:0}
.checks tr.why td{padding:2px 10px 10px 0;color:var(--faint);font-size:.9rem}
.checks th:first-child{padding-left:13px}
.checks tr.lead td:first-child,.checks tr.why td:first-child{padding-left:10px;border-left:3px solid var(--word)}
details>summary{cursor:pointer}
summary:focus-visible,.scroll:focus-visible{outline:2px solid var(--link);outline-offset:2px}
ol.evidence{margin:.4rem 0 .2rem;padding-left:1.4rem;color:var(--text)}
.scroll{overflow-x:auto}.scroll td{overflow-wrap:normal}.scroll td.name{overflow-wrap:anywhere;min-width:9rem}
.answer{min-width:16rem;overflow-wrap:anywhere!important}.answer div{padding-left:4.6rem;text-indent:-4.6rem}.answer small{display:inline-block;width:4.3rem;text-indent:0}.answer b{color:var(--PASS)}
.answer del{color:var(--FAIL)}.answer ins{color:var(--link)}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:22px 32px}
.pairs{display:flex;flex-wrap:wrap;gap:18px 32px;margin:.8rem 0}.pair{display:flex;gap:8px}.pair img{max-width:45vw;height:auto;border:1px solid var(--line);border-radius:4px}
blockquote{margin:.3rem 0;padding-left:.8rem;border-left:3px solid var(--line);max-width:34rem}
figure{margin:0;min-width:0}figure svg{display:block;width:100%;height:auto}
figcaption{font-size:.88rem;color:var(--faint)}figcaption b{color:var(--text)}
svg{font-family:inherit;font-size:12px}
.key{white-space:nowrap;margin-right:.9em}.key i{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.35em;background:var(--key)}
.narrow{display:none}
.warn{border:1px solid var(--INCONCLUSIVE);border-radius:8px;padding:10px 16px;margin:1rem 0}
footer{margin-top:3rem;padding-bottom:3rem;color:var(--faint);font-size:.88rem}
pre{background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:10px 14px;overflow-x:auto}
@media (max-width:720px){
main,header,footer{padding:0 14px}
.wide{display:none}.narrow{display:block}
.scroll th,.scroll td{padding-right:5px;font-size:.86rem}
.banner{padding:14px 16px}
table:has(.answer),table:has(.answer) :is(thead,tbody){display:block}
table:has(.answer) tr{display:grid;grid-template-columns:1fr 6rem 6rem;border-bottom:1px solid var(--line)}
table:has(.answer) :is(th,td){border:0}table:has(.answer) th:last-child{display:none}
.scroll td.answer{grid-column:1/-1;min-width:0;padding-top:0}
.checks thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.checks,.checks tbody{display:block}
.checks tr{display:grid;grid-template-columns:1fr 1fr;column-gap:12px}
.checks tr.lead{padding-top:10px;border-left:3px solid var(--word)}
.checks tr.lead td,.checks tr.lead td:first-child{border:0;padding:1px 0 1px 10px;text-align:left;white-space:normal}
.checks tr.lead td[data-label]::before{content:attr(data-label) " ";display:block;color:var(--faint);font-size:.78rem}
.checks td.full{grid-column:1/-1}
.checks tr.why td,.checks tr.why td:first-child{grid-column:1/-1;padding:4px 0 10px 10px}
}
@media print{details{display:block}.wide{display:block}.narrow{display:none}}
`
  .trim()
  .replace(/\n/g, "");
