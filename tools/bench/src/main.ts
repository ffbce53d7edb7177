#!/usr/bin/env node
// The program; everything is in command-line.ts.
import { runCommandLine } from './command-line.js';

process.exitCode = await runCommandLine(process.argv);
