/** What the page of a running balancer has besides the style that it shares with the page of a simulation. */
export const PAGE_STYLE = `
:root { --band-line: var(--peak); --warn: #9a6700; --error: #c92a2a; }
@media (prefers-color-scheme: dark) { :root { --warn: #e3b341; --error: #ff7b72; } }
.tiles, .charts { display: grid; gap: 0.8rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); margin: 0.8rem 0; }
.charts { grid-template-columns: repeat(auto-fit, minmax(min(100%, 28rem), 1fr)); }
.tiles > div { background: var(--card); border: 1px solid var(--rule); border-radius: 6px; padding: 0.5rem 0.9rem; }
.tiles h2 { margin: 0; }
.big { font-size: 1.4rem; margin: 0.1rem 0; }
.trouble, .said { list-style: none; padding: 0.5rem 0.9rem; background: var(--card); border: 1px solid var(--rule); border-radius: 6px; overflow-wrap: anywhere; }
.trouble { border-color: var(--warn); border-width: 2px; }
.well { color: var(--balancer); }
li { margin: 0.25rem 0; }
li time { color: var(--faint); font-variant-numeric: tabular-nums; margin-right: 0.4rem; }
.warn { color: var(--warn); }
.error { color: var(--error); }
.keys { margin-left: 0.6rem; white-space: nowrap; }
.keys .key { margin: 0 0.3em 0 0.7em; }
.bar { margin: 0.3rem 0; }
.bar .whole { fill: var(--grid); }
.bar .part { fill: var(--balancer); }
.bar.warn .part { fill: var(--warn); }
.bar.error .part { fill: var(--error); }
svg { display: block; width: 100%; height: auto; }
svg.bar { height: 0.5rem; }
svg path { fill: none; stroke-width: 1.8; }
svg .grid { stroke: var(--grid); }
svg line.level { stroke: var(--wanted); stroke-dasharray: 3 4; }
svg text { fill: var(--faint); font-size: 12px; }
svg text.scale, svg text.level { text-anchor: end; }
svg text.scale { dominant-baseline: auto; }
@media (max-width: 600px) { svg text { font-size: 19px; } }
svg text.level { dominant-baseline: text-after-edge; }
`;
