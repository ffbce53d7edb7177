// The shape of one case of a compliance suite.

/** One requirement. Run it with a fresh fixture; it throws when the requirement is not met. */
export interface ComplianceCase<Fixture> {
  readonly name: string;
  readonly run: (fixture: Fixture) => Promise<void>;
}
