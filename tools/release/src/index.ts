// @rfsis/tool-release: proves that each package can be published, installed alone and used as its README says.
export { checkRelease, type CheckOptions } from './check-release.js';
export type { Finding } from './findings.js';
export { SetupError } from './setup-error.js';
