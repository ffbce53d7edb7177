// `@rfsis/link/compliance`: what every LinkDevice and every Clock must do, as cases for any test framework. A case throws an
// AssertionError when the implementation does not comply. Published, so that devices made elsewhere can be held to it.
export { clockCompliance, type ClockFixture } from './compliance/clock-cases.js';
export {
  linkDeviceCompliance,
  type LinkDeviceComplianceOptions,
  type LinkDeviceFixture,
} from './compliance/device-cases.js';
export type { ComplianceCase } from './compliance/compliance-case.js';
