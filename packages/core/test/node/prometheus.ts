// A reader of the Prometheus text exposition format, strict about what it takes.

/** One metric with all its samples, by their labels as written. */
export interface Metric {
  readonly type: string;
  readonly help: string;
  readonly samples: Map<string, number>;
}

const SAMPLE = /^([a-z_][a-z0-9_]*)(\{[a-z_]+="[^"\\\n]*"(?:,[a-z_]+="[^"\\\n]*")*\})? (\S+)$/;
const NUMBER = /^(?:[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?|[+-]Inf|Nan)$/i;

/** @throws {Error} when a line is not of the format */
export function parsePrometheus(text: string): Map<string, Metric> {
  if (!text.endsWith('\n')) throw new Error('the last line is not ended');
  const metrics = new Map<string, Metric>();
  let help: RegExpExecArray | null = null;
  let current: { name: string; metric: Metric } | undefined;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const type = /^# TYPE (\S+) (counter|gauge)$/.exec(line);
    if (line.startsWith('# HELP ')) {
      help = /^# HELP (\S+) (.+)$/.exec(line);
    } else if (type !== null) {
      const [, name = '', kind = ''] = type;
      if (help?.[1] !== name) throw new Error(`no help before ${line}`);
      if (metrics.has(name)) throw new Error(`${name} comes twice`);
      current = { name, metric: { type: kind, help: help[2] ?? '', samples: new Map() } };
      metrics.set(name, current.metric);
    } else {
      const [, name, labels = '', value = ''] = SAMPLE.exec(line) ?? [];
      if (name === undefined || name !== current?.name) throw new Error(`unexpected line: ${line}`);
      if (!NUMBER.test(value)) throw new Error(`no number: ${line}`);
      if (current.metric.samples.has(labels)) throw new Error(`twice the same sample: ${line}`);
      current.metric.samples.set(labels, Number(value.replace(/^nan$/i, 'NaN')));
    }
  }
  return metrics;
}
