// Joins a shared lab and stays in it until SIGTERM, as `serve` of an example does; or until its end by SIGINT.
import process from 'node:process';
import { SharedLab } from '../../out-tsc/index.mjs';

const say = (fields) => process.stdout.write(`${JSON.stringify(fields)}\n`);
try {
  const shared = await SharedLab.joinOrCreate(process.argv[2]);
  const node = shared.node.spawn(['sleep', '1000']);
  process.once('SIGTERM', () => {
    shared.leave().then(() => process.exit(0));
  });
  say({ event: 'joined', seat: shared.seat, created: shared.created, node: node.pid });
} catch (error) {
  say({ event: 'refused', code: error.code, message: error.message });
}
