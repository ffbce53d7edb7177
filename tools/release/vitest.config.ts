import { toolTests } from '../../vitest.shared.js';

export default toolTests(import.meta.dirname);
