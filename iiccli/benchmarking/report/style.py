"""How the report looks."""

CSS = """
:root { --ink: #1c1c1e; --faint: #6d6d72; --line: #e2e2df; --paper: #fafaf8; --card: #ffffff;
        --good: #00795a; --bad: #b84a00; --accent: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
       font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
main, header, footer { max-width: 1180px; margin: 0 auto; padding: 0 28px; }
header { padding-top: 44px; }
h1 { font-size: 34px; line-height: 1.15; margin: 0 0 6px; letter-spacing: -0.02em; }
h2 { font-size: 25px; margin: 56px 0 8px; letter-spacing: -0.01em; }
h3 { font-size: 18px; margin: 0 0 2px; }
p { max-width: 74ch; margin: 6px 0 14px; }
.faint, figcaption, .note { color: var(--faint); }
.note { font-size: 14px; }
nav { position: sticky; top: 0; z-index: 1; background: var(--paper); margin-top: 20px;
      border-bottom: 1px solid var(--line); }
nav div { max-width: 1180px; margin: 0 auto; padding: 10px 28px; display: flex; flex-wrap: wrap;
          gap: 4px 20px; font-size: 15px; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
section.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
               padding: 20px 22px; margin: 18px 0; scroll-margin-top: 60px; }
h2 { scroll-margin-top: 60px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14.5px; margin: 10px 0; }
td:first-child { white-space: nowrap; }
th, td { text-align: left; padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line);
         vertical-align: top; }
th { font-weight: 600; color: var(--faint); font-size: 13px; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.ours td { font-weight: 600; }
.good { color: var(--good); } .bad { color: var(--bad); }
.cell { border-radius: 5px; padding: 2px 7px; display: inline-block; min-width: 56px;
        text-align: right; font-variant-numeric: tabular-nums; }
.none { color: var(--faint); }
.row { display: grid; gap: 10px; margin: 12px 0;
       grid-template-columns: repeat(var(--n), minmax(0, 1fr)); }
figure { margin: 0; }
figure img { width: 100%; height: auto; display: block; border-radius: 4px; }
figcaption { font-size: 12.5px; line-height: 1.35; margin-top: 3px; }
.two { display: grid; grid-template-columns: minmax(0, 1.1fr) minmax(0, 1fr); gap: 26px; }
.two svg, .plot svg { width: 100%; height: auto; display: block; }
.plot { max-width: 960px; }
details { margin: 10px 0; font-size: 14.5px; }
summary { cursor: pointer; color: var(--accent); }
footer { padding: 40px 28px 60px; font-size: 14px; color: var(--faint); }
@media (max-width: 820px) { .two { grid-template-columns: 1fr; } .row { --n: 2 !important; } }
@media print { nav { display: none; } section.card { break-inside: avoid; } }
"""
