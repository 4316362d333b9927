import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** A file of an npm package as text. In the executable the bundler puts the text in the place of the call. */
function readText(specifier: string): string {
  return readFileSync(createRequire(import.meta.url).resolve(specifier), 'utf8');
}

/** uPlot (https://github.com/leeoniya/uPlot, MIT): draws the charts. A script that defines `uPlot`. */
export const UPLOT_SCRIPT = readText('uplot/dist/uPlot.iife.min.js');

export const UPLOT_STYLE = readText('uplot/dist/uPlot.min.css');

/** Its licence goes wherever it goes. */
export const UPLOT_LICENSE = readText('uplot/LICENSE');
