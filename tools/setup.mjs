// Makes a fresh machine ready: Debian packages when root and missing, npm packages from the lock file.
// Plain JavaScript without dependencies, because it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const isRoot = process.getuid?.() === 0;

/** What the lab and the build need: a file that proves it is there, and the Debian package that brings it. */
const NEEDED = [
  { proof: ['/usr/include/pcap/pcap.h'], debian: 'libpcap-dev' },
  { proof: ['/usr/bin/g++'], debian: 'g++' },
  { proof: ['/usr/bin/make'], debian: 'make' },
  { proof: ['/usr/bin/python3', '/usr/local/bin/python3'], debian: 'python3' },
  { proof: ['/usr/sbin/ip', '/sbin/ip', '/usr/bin/ip'], debian: 'iproute2' },
  { proof: ['/usr/sbin/nft'], debian: 'nftables' },
  { proof: ['/usr/sbin/ethtool', '/sbin/ethtool'], debian: 'ethtool' },
  { proof: ['/usr/bin/nc.openbsd'], debian: 'netcat-openbsd' },
  { proof: ['/usr/bin/socat'], debian: 'socat' },
  { proof: ['/usr/bin/curl'], debian: 'curl' },
  { proof: ['/usr/bin/tcpdump', '/usr/sbin/tcpdump'], debian: 'tcpdump' },
  { proof: ['/usr/bin/tshark'], debian: 'tshark' },
  { proof: ['/usr/bin/ping', '/bin/ping'], debian: 'iputils-ping' },
];

function say(text) {
  process.stderr.write(`${text}\n`);
}

function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  if (error !== undefined) say(`${command}: ${error.message}`);
  return status === 0;
}

function setUpDebian() {
  const missing = NEEDED.filter(({ proof }) => !proof.some((path) => existsSync(path))).map(
    ({ debian }) => debian,
  );
  if (missing.length === 0) return;
  const command = `apt-get install -y ${missing.join(' ')}`;
  if (!isRoot || !existsSync('/usr/bin/apt-get')) {
    say(`setup: missing for the network lab: ${missing.join(', ')}; as root: ${command}`);
    return;
  }
  say(`setup: installing Debian packages: ${missing.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const installed =
    run('apt-get', ['update', '-qq'], { env }) &&
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], {
      env,
      stdio: ['ignore', 'ignore', 2],
    });
  if (!installed) say(`setup: could not install them; try: ${command}`);
}

/** npm packages are current when the lock file is the one they were installed from and cap was built. */
function npmIsCurrent() {
  const stamp = join(root, 'node_modules', '.rfsis-setup');
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === stampText();
}

function stampText() {
  const lock = statSync(join(root, 'package-lock.json'));
  return `${lock.mtimeMs} ${process.version} ${capIsBuilt()}\n`;
}

function capIsBuilt() {
  return existsSync(join(root, 'node_modules/cap/build/Release/cap.node'));
}

function setUpNpm() {
  if (npmIsCurrent()) return true;
  say('setup: installing npm packages (npm ci)');
  const env = { ...process.env };
  // Headers that lie beside this node spare node-gyp a download.
  const prefix = dirname(dirname(process.execPath));
  if (existsSync(join(prefix, 'include/node/node.h'))) env.npm_config_nodedir = prefix;
  // With its assertions, cap aborts the process when the interface that it captures on is switched off.
  env.CXXFLAGS = `${process.env.CXXFLAGS ?? ''} -DNDEBUG`;
  if (!run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { env })) {
    say('setup: npm ci failed, see above');
    return false;
  }
  if (!capIsBuilt())
    say('setup: cap was not built (it needs libpcap-dev, g++, make and python3): no real interfaces');
  writeFileSync(join(root, 'node_modules', '.rfsis-setup'), stampText());
  return true;
}

setUpDebian();
process.exitCode = setUpNpm() ? 0 : 1;
