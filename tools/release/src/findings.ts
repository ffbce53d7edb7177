// What is wrong with the packages, gathered over all steps: one defect does not hide the next.

/** One thing that is wrong. */
export interface Finding {
  /** The package, or `workspace`. */
  readonly subject: string;
  /** What a maintainer needs to know to put it right; may have several lines. */
  readonly problem: string;
}

/** Gathers findings and tells the progress. */
export class Findings {
  readonly #found: Finding[] = [];
  readonly #say: (line: string) => void;

  /** @param say takes lines about the progress */
  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  get all(): readonly Finding[] {
    return this.#found;
  }

  /** Tells what is going on, or how something went. */
  say(line: string): void {
    this.#say(line);
  }

  /** Something is wrong; the check goes on. */
  add(subject: string, problem: string): void {
    this.#found.push({ subject, problem });
    this.#say(`${subject}: WRONG: ${problem.split('\n', 1)[0] ?? ''}`);
  }

  /** {@link Findings.add} for each of the problems. @returns whether there was none */
  addAll(subject: string, problems: readonly string[]): boolean {
    for (const problem of problems) this.add(subject, problem);
    return problems.length === 0;
  }
}
