// Programs that some tests need: absent ones skip those tests at a developer's desk, and fail them in continuous integration.
import { execFileSync } from 'node:child_process';

/** Whether `program` can be run with `args`. @throws when it cannot, in continuous integration */
export function isAvailable(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch (error) {
    if (process.env['CI'] === 'true') throw new Error(`${program} is needed in CI`, { cause: error });
    return false;
  }
}
