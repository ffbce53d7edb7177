import { labTests } from '../../vitest.shared.js';

export default labTests(import.meta.dirname);
