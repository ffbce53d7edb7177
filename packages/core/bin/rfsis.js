#!/usr/bin/env node
// Entry point of the rfsis command. A file of its own, so that it can be linked before the package is built.
import '../dist/cli/main.js';
