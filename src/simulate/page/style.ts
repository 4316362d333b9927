/** The page's own style: light and dark, wide and narrow. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #fbfbfa; --card: #ffffff; --text: #24292f; --faint: #667079; --grid: #e4e6e8; --rule: #d4d8dc;
  --load: #0b7285; --peak: #96c9d3; --wanted: #d9bd72; --band: rgba(214, 168, 50, 0.20);
  --balancer: #12823b; --other: #7048e8; --auto: #e8590c; --never: #e8590c; --onDemand: #a61e4d; --spot: #a61e4d; --climb: #0c8599; --ignore: #0c8599; --suggested: #d6336c; --original: #c92a2a; --fixed: #868e96; --best: #1c6fd0; --none: #adb5bd;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15181c; --card: #1c2025; --text: #e3e6e9; --faint: #9aa4ad; --grid: #2d3339; --rule: #3a4149;
    --load: #4dc3d8; --peak: #2b6a77; --wanted: #806a35; --band: rgba(217, 176, 74, 0.18);
    --balancer: #4cc373; --other: #a78bfa; --auto: #ff922b; --never: #ff922b; --onDemand: #f783ac; --spot: #f783ac; --climb: #3bc9db; --ignore: #3bc9db; --suggested: #f472b0; --original: #f27272; --fixed: #8b949e; --best: #6aaefc; --none: #5c656e;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 1180px; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.35rem; margin: 0.3rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 1.6rem 0 0.4rem; }
p { margin: 0.4rem 0; max-width: 75ch; overflow-wrap: anywhere; }
.faint, figcaption { color: var(--faint); font-size: 0.9rem; }
figure { margin: 0; }
.chart, .table { background: var(--card); border: 1px solid var(--rule); border-radius: 6px; padding: 0.6rem 0.4rem; overflow-x: auto; }
.chart { overflow-x: hidden; }
table.farms, table.days { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
.farms th, .farms td, .days th, .days td { text-align: right; padding: 0.25rem 0.6rem; white-space: nowrap; }
.farms th:first-child, .days th:first-child { text-align: left; font-weight: normal; }
.farms thead th, .days thead th { color: var(--faint); font-weight: normal; font-size: 0.85rem; border-bottom: 1px solid var(--rule); vertical-align: bottom; white-space: normal; }
.farms tr.balancer > * { font-weight: 600; }
.key { display: inline-block; width: 0.75em; height: 0.75em; border-radius: 2px; margin-right: 0.5em; }
.bar { display: block; height: 5px; border-radius: 2px; margin-left: auto; }
pre { background: var(--card); border: 1px solid var(--rule); border-radius: 6px; padding: 0.7rem 1rem; overflow-x: auto; }
.u-legend { font-size: 0.85rem; }
.u-legend.u-inline .u-series th::after { content: none; }
.u-legend .u-value { margin-left: 0.4em; }
.hint { display: none; color: var(--faint); font-size: 0.9rem; }
.u-legend .u-marker { width: 0.8em; height: 0.8em; }
.u-select { background: var(--band) !important; }
.u-cursor-x, .u-cursor-y { border-color: var(--faint) !important; }
@media (max-width: 600px) {
  body { padding: 0.6rem; font-size: 14px; }
  .farms th, .farms td { padding: 0.25rem 0.3rem; }
  .farms th { white-space: normal; }
  .farms th:first-child { position: sticky; left: 0; background: var(--card); }
  .hint { display: block; }
}
`;
