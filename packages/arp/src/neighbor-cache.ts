// The table of neighbours.

/**
 * `incomplete`: asked for, no answer yet. `reachable`: heard lately. `stale`: not heard lately, used and verified at
 * the next use. `failed`: did not answer.
 */
export type NeighborState = 'incomplete' | 'reachable' | 'stale' | 'failed';
