// The gaps of a session as a picture: a dot per failover on a common time axis, as SVG text.
import { summarise } from '../statistics.js';

/** One strip of the plot. */
export interface GapStrip {
  readonly name: string;
  /** In milliseconds. */
  readonly gapsMs: readonly number[];
}

/** A vertical line that the gaps are held against. */
export interface GapLimit {
  readonly name: string;
  readonly ms: number;
}

const WIDTH = 720;
const LEFT = 120;
const RIGHT = 32;
const TOP = 64;
const STRIP = 76;
const BOTTOM = 52;
const RADIUS = 4;
/** Distance of dots that would lie on each other. */
const SPREAD = 2 * RADIUS + 1;
const MEDIAN_HALF = 22;

/** Colours of its own for both schemes, background included: a page may be dark where the system is light. */
const STYLE = `
    .ground { fill: #ffffff } text { fill: #1f2328; font: 13px system-ui, sans-serif }
    .title { font-size: 15px; font-weight: 600 } .small { fill: #59636e; font-size: 12px }
    .axis { stroke: #8c959f } .grid { stroke: #d8dee4 } .limit { stroke: #59636e; stroke-dasharray: 4 4 }
    .dot { fill-opacity: .75 } .strip0 { fill: #0969da; stroke: #0969da } .strip1 { fill: #bc4c00; stroke: #bc4c00 }
    .median { stroke-width: 2 }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #0d1117 } text { fill: #f0f6fc } .small { fill: #9198a1 }
      .axis { stroke: #656c76 } .grid { stroke: #2a313c } .limit { stroke: #9198a1 }
      .strip0 { fill: #4493f8; stroke: #4493f8 } .strip1 { fill: #f0883e; stroke: #f0883e }
    }
  `;

/** Draws the strips below each other, with a mark at each median. */
export function gapPlot(strips: readonly GapStrip[], limits: readonly GapLimit[]): string {
  const height = TOP + strips.length * STRIP + BOTTOM;
  const longest = Math.max(0, ...strips.flatMap(({ gapsMs }) => gapsMs), ...limits.map(({ ms }) => ms));
  const tickMs = tickOf(longest);
  const endMs = (Math.floor(longest / tickMs) + 1) * tickMs;
  const x = (ms: number): number => LEFT + (ms / endMs) * (WIDTH - LEFT - RIGHT);
  const description = strips.map(described).join('; ');
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title description">`,
    `  <title id="title">Gaps in the service at a power loss of the main</title>`,
    `  <desc id="description">${escaped(description)}</desc>`,
    `  <style>${STYLE}</style>`,
    `  <rect class="ground" width="${WIDTH}" height="${height}" rx="6"/>`,
    `  <text class="title" x="16" y="24">Time without service at a power loss of the main</text>`,
    ...axis(endMs, tickMs, x, height - BOTTOM),
    ...limits.map((limit) => limitLine(limit, x, height - BOTTOM)),
    ...strips.flatMap((strip, index) => stripDots(strip, index, x)),
    '</svg>',
  ].join('\n')}\n`;
}

function axis(endMs: number, tickMs: number, x: (ms: number) => number, y: number): string[] {
  const ticks = Array.from({ length: Math.round(endMs / tickMs) + 1 }, (_, index) => index * tickMs);
  return [
    ...ticks.flatMap((ms) => [
      `  <line class="grid" x1="${place(x(ms))}" y1="${TOP}" x2="${place(x(ms))}" y2="${y}"/>`,
      `  <text class="small" x="${place(x(ms))}" y="${y + 18}" text-anchor="middle">${ms}</text>`,
    ]),
    `  <line class="axis" x1="${LEFT}" y1="${y}" x2="${WIDTH - RIGHT}" y2="${y}"/>`,
    `  <text class="small" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${y + 38}" text-anchor="middle">milliseconds, a dot per failover; the bar is the median</text>`,
  ];
}

function limitLine({ name, ms }: GapLimit, x: (ms: number) => number, y: number): string {
  const at = place(x(ms));
  return [
    `  <line class="limit" x1="${at}" y1="${TOP - 6}" x2="${at}" y2="${y}"/>`,
    `  <text class="small" x="${at}" y="${TOP - 12}" text-anchor="middle">${escaped(name)}</text>`,
  ].join('\n');
}

function stripDots({ name, gapsMs }: GapStrip, index: number, x: (ms: number) => number): string[] {
  const middle = TOP + (index + 0.5) * STRIP;
  const look = `strip${index % 2}`;
  const median = summarise(gapsMs)?.median;
  const placed: { readonly across: number; readonly up: number }[] = [];
  const dots = [...gapsMs]
    .sort((a, b) => a - b)
    .map((ms) => {
      const across = x(ms);
      const isFree = (up: number): boolean =>
        placed.every((other) => other.up !== up || Math.abs(other.across - across) >= SPREAD);
      let step = 0;
      // 0, one up, one down, two up ...: the middle first.
      const offset = (): number => Math.ceil(step / 2) * (step % 2 === 1 ? -SPREAD : SPREAD);
      while (!isFree(offset())) step++;
      placed.push({ across, up: offset() });
      return `  <circle class="dot ${look}" cx="${place(across)}" cy="${place(middle + offset())}" r="${RADIUS}"><title>${ms} ms</title></circle>`;
    });
  return [
    `  <text x="16" y="${middle - 2}">${escaped(name)}</text>`,
    `  <text class="small" x="16" y="${middle + 15}">${median === undefined ? 'no figures' : `median ${median.toFixed(1)}`}</text>`,
    ...dots,
    ...(median === undefined
      ? []
      : [
          `  <line class="median ${look}" x1="${place(x(median))}" y1="${middle - MEDIAN_HALF}" x2="${place(x(median))}" y2="${middle + MEDIAN_HALF}"/>`,
        ]),
  ];
}

/** 1, 2 or 5 times a power of ten, so that there are at most ten ticks. */
function tickOf(longest: number): number {
  for (let power = 1; ; power *= 10) {
    for (const factor of [1, 2, 5]) if (longest / (power * factor) < 10) return power * factor;
  }
}

function described({ name, gapsMs }: GapStrip): string {
  const summary = summarise(gapsMs);
  if (summary === null) return `${name}: no figures`;
  const { count, median, p90, max } = summary;
  return `${name}: ${count} failovers, median ${median} ms, nine of ten at most ${p90} ms, longest ${max} ms`;
}

function place(pixels: number): string {
  return String(Math.round(pixels * 10) / 10);
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
