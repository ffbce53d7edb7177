// One `ip` process that stays open in a namespace and takes commands about interfaces, each answered at once.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { killGroup, oneLine, resolveProgram } from './commands.js';
import { LabError } from './errors.js';

const ANSWER_TIMEOUT_MS = 5_000;
/** The loopback interface is always there: its line ends every answer. */
const END_OF_ANSWER = 'link show dev lo';
const END_LINE = '1: lo:';
/** Said when another program is just making a namespace, whose file is then not one yet. */
const PASSING_NOISE = 'Peer netns reference is invalid';

type Settle = (outcome: string | LabError) => void;

/** Commands are a fraction of a millisecond away, because no program has to start. */
export class IpSession {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #questions: Settle[] = [];
  #partial = '';
  #answer: string[] = [];
  #closed = false;

  constructor(namespace: string) {
    const [program = '', ...args] = resolveProgram([
      // Errors on the same stream as answers: so they come in order.
      ...['setpriv', '--pdeathsig', 'KILL', 'sh', '-c', 'exec "$@" 2>&1', 'sh'],
      ...resolveProgram(['ip', '-netns', namespace, '-details', '-oneline', '-force', '-batch', '-']),
    ]);
    this.#process = spawn(program, args, { detached: true, stdio: 'pipe' });
    this.#process.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#read(text);
    });
    this.#process.stdin.on('error', () => undefined);
    this.#process.once('error', (error) => {
      this.#fail(error.message);
    });
    this.#process.once('exit', () => {
      this.#fail([...this.#answer, this.#partial, 'it has ended'].join(' '));
    });
  }

  /**
   * Gives a command, if any, and asks for the state of an interface after it.
   * @returns the line of `ip -details -oneline link show`
   * @throws {LabError} `RFSIS_LAB_COMMAND_FAILED` when there was any complaint; close the session then
   */
  async ask(device: string, command?: string): Promise<string> {
    return new Promise<string>((resolve, reject) => {
      if (this.#closed) {
        reject(failed('it has ended'));
        return;
      }
      const timer = setTimeout(() => {
        this.#fail(`no answer within ${ANSWER_TIMEOUT_MS} ms`);
      }, ANSWER_TIMEOUT_MS);
      this.#questions.push((outcome) => {
        clearTimeout(timer);
        if (typeof outcome === 'string') resolve(outcome);
        else reject(outcome);
      });
      const lines = command === undefined ? [] : [command];
      this.#process.stdin.write([...lines, `link show dev ${device}`, END_OF_ANSWER, ''].join('\n'));
    });
  }

  /** Ends the process. May be called twice. */
  close(): void {
    this.#fail('it is closed');
  }

  #read(text: string): void {
    const lines = (this.#partial + text).split('\n');
    this.#partial = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith(END_LINE)) this.#settle();
      else if (!line.includes(PASSING_NOISE)) this.#answer.push(line);
    }
  }

  /** One line is the state of the interface; anything beside it is a complaint. */
  #settle(): void {
    const said = this.#answer.splice(0);
    const [state = ''] = said;
    const isClean = said.length === 1 && /^\d+: /.test(state);
    this.#questions.shift()?.(isClean ? state : failed(said.join(' ')));
  }

  #fail(reason: string): void {
    this.#closed = true;
    killGroup(this.#process);
    for (const settle of this.#questions.splice(0)) settle(failed(reason));
  }
}

function failed(reason: string): LabError {
  return new LabError(
    'RFSIS_LAB_COMMAND_FAILED',
    `the ip process beside the switch failed: ${oneLine(reason)}`,
  );
}
