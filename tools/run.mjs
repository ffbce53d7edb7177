// Runs what the README's two commands need after the set-up: `demo` or `check`.
// Plain JavaScript, because it builds the rest.
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const env = {
  ...process.env,
  NX_DAEMON: 'false',
  NX_TUI: 'false',
  NX_SKIP_NX_CACHE: process.env.CI ? 'true' : 'false',
};

const NX = ['npx', 'nx'];

/** What `npm test` checks, in this order. Every step must pass; a failure does not keep the later ones from running. */
const CHECKS = [
  ['format', ['npx', 'prettier', '--check', '.']],
  ['references in sync', [...NX, 'sync:check']],
  ['build, types, lint', [...NX, 'run-many', '-t', 'build', 'typecheck', 'lint', '--parallel=2']],
  ['tests of packages and tools', [...NX, 'run-many', '-t', 'test', '--parallel=2', '--output-style=static']],
  ['tests in the network lab', [...NX, 'run-many', '-t', 'lab', '--parallel=1', '--output-style=static']],
  ['a million frames into every codec and the stack', [...NX, 'run-many', '-t', 'fuzz', '--parallel=2']],
  ['packages, published and installed alone', ['node', 'tools/release/dist/main.js']],
  ['demo', ['node', 'tools/demo/dist/main.js']],
  ['demo in memory', ['node', 'tools/demo/dist/main.js', '--memory']],
];

function say(text) {
  process.stderr.write(`${text}\n`);
}

function run([program, ...args], options = {}) {
  const { status, error } = spawnSync(program, args, { cwd: root, env, stdio: 'inherit', ...options });
  if (error !== undefined) say(`${program}: ${error.message}`);
  return status === 0;
}

function demo(args) {
  say('building (nx run-many -t build) ...');
  const built = run([...NX, 'run-many', '-t', 'build', '--projects=demo,echo-udp'], {
    stdio: ['ignore', 'ignore', 2],
  });
  if (!built) {
    run([...NX, 'run-many', '-t', 'build', '--projects=demo,echo-udp']);
    return false;
  }
  return run(['node', 'tools/demo/dist/main.js', ...args]);
}

function check() {
  const failed = [];
  for (const [name, command] of CHECKS) {
    const beganAt = Date.now();
    say(`\n=== ${name}`);
    if (!run(command)) failed.push(name);
    say(
      `=== ${name}: ${failed.includes(name) ? 'FAILED' : 'passed'} in ${Math.round((Date.now() - beganAt) / 1000)} s`,
    );
  }
  for (const name of failed) say(`failed: ${name}`);
  process.stdout.write(`\nchecks: ${CHECKS.length - failed.length} passed, ${failed.length} failed\n`);
  return failed.length === 0;
}

const [task, ...args] = process.argv.slice(2);
if (task !== 'demo' && task !== 'check') {
  say('usage: node tools/run.mjs demo|check');
  process.exitCode = 2;
} else {
  process.exitCode = (task === 'demo' ? demo(args) : check()) ? 0 : 1;
}
