// Waiting on the real clock, for what cannot run in virtual time.
import type { Clock } from '../src/index.js';

/** Looks at a condition every millisecond; gives up after `limitMs`. */
export function realTime(clock: Clock, limitMs = 3000): (condition: () => boolean) => Promise<boolean> {
  return (condition) =>
    new Promise((resolve) => {
      const endMs = clock.now() + limitMs;
      const look = (): void => {
        if (condition()) resolve(true);
        else if (clock.now() >= endMs) resolve(false);
        else clock.setTimer(1, look);
      };
      look();
    });
}
