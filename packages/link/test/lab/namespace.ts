// A network namespace without a name: it goes with the process that lives in it, however that ends.
import { spawn, spawnSync } from 'node:child_process';

/** Two interfaces, va and vb, joined by a bridge br0 through their peers pa and pb. No IPv6, no address: no chatter. */
const SET_UP = `
set -e
mount -t sysfs sysfs /sys
echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6
echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6
ip link add br0 type bridge mcast_snooping 0
ip link set br0 up
for x in a b; do
  ip link add v$x type veth peer name p$x
  ip link set p$x master br0
  ip link set p$x up
  ip link set v$x up
done
exec "$@"
`;

const ENTER = ['--net', '--mount', 'sh', '-c', SET_UP, 'namespace'];

/** Why there can be no namespace here; undefined when there can. */
export function whyNoNamespace(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root';
  const { status, stderr } = spawnSync('unshare', [...ENTER, 'true'], { encoding: 'utf8', timeout: 20_000 });
  return status === 0 ? undefined : `no network namespace: ${stderr.trim()}`;
}

/** Runs a program in a fresh namespace; what it prints is returned. */
export function runInNamespace(
  program: string,
  args: readonly string[],
  limitMs: number,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('unshare', [...ENTER, program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: limitMs,
      killSignal: 'SIGKILL',
    });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, output });
    });
  });
}
