// What the demonstration shows, whatever the stage: a power loss, the way back, a planned handover.
import type { ClientReport, Stage, StageEvent, StageListener } from './stage.js';

export type { ClientReport, Gap, NodeName, Stage, StageEvent, StageListener } from './stage.js';

const SCENE_MS = 800;

/** Everything that happened. */
export interface StoryReport {
  readonly events: readonly StageEvent[];
  readonly client: ClientReport;
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * Plays the story.
 * @param open makes the stage; it tells its events to the listener
 * @param tell takes each event as it happens, for live output
 */
export async function play(
  open: (listener: StageListener) => Promise<Stage>,
  tell: StageListener,
  introduce: (description: string) => void,
): Promise<StoryReport> {
  const events: StageEvent[] = [];
  const listener: StageListener = (event) => {
    events.push(event);
    tell(event);
  };
  const stage = await open(listener);
  const note = (who: string, text: string): void => {
    listener({ kind: 'note', atMs: stage.now(), who, text });
  };
  try {
    introduce(stage.description);
    await stage.start();
    const startMs = stage.now();
    note('client', 'sends a datagram each millisecond to 10.77.0.10 port 7 and checks every answer');
    await stage.startClient();
    await stage.pause(SCENE_MS);
    note('***', 'POWER LOSS of alpha: cable and process go in one instant');
    await stage.powerLoss('alpha');
    await stage.pause(SCENE_MS);
    note('***', 'power is back: alpha starts again');
    await stage.powerUp('alpha');
    await stage.pause(SCENE_MS);
    note('***', 'planned handover: beta is asked to give the service back');
    await stage.handover('beta');
    await stage.pause(SCENE_MS);
    const client = await stage.stopClient();
    return { events, client, startMs, endMs: stage.now() };
  } finally {
    await stage.close();
  }
}
