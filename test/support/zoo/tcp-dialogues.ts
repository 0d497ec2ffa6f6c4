import { type Expected, type OnPeer, explicit, good, silent } from './behaviour.ts';
import { endlessly } from './pieces.ts';

/** Name, what the server does, settings beside the address, what is to come of it. */
export type TcpRow = readonly [name: string, onPeer: OnPeer, settings: object, expected: Expected];

const DIALOGUE = {
  steps: [
    { expect: '^220 ' },
    { send: 'EHLO vitald\r\n', expect: '^250 ', expect_not: '^5' },
    { send: 'QUIT\r\n', expect: '^221 ' },
  ],
};

/** Says the parts, each in turn when it has heard something; the first at once. */
function speaks(...parts: readonly string[]): OnPeer {
  return (socket) => {
    let next = 0;
    const say = (): void => void (next < parts.length && socket.write(parts[next++]!, 'latin1'));
    socket.on('data', say);
    say();
  };
}

/** Servers that go wrong on the way. */
export const tcpDialogues: readonly TcpRow[] = [
  [
    'keeps to the dialogue',
    speaks('220 hi\r\n', '250-hi\r\n250 SIZE\r\n', '221 bye\r\n'),
    DIALOGUE,
    good('answer', /dialogue/),
  ],
  ['says all of the dialogue at once', speaks('220 hi\r\n250 hi\r\n221 bye\r\n'), DIALOGUE, good()],
  [
    'refuses in the dialogue',
    speaks('220 hi\r\n', '554 no\r\n'),
    DIALOGUE,
    explicit('mismatch', /^step 2: /),
  ],
  ['greets with a refusal', speaks('554 no\r\n'), DIALOGUE, silent()],
  [
    'leaves in the dialogue',
    (socket) => {
      socket.write('220 hi\r\n');
      socket.once('data', () => socket.end());
    },
    DIALOGUE,
    explicit('closed', /^step 2: /),
  ],
  [
    'resets in the dialogue',
    (socket, { reset }) => {
      socket.write('220 hi\r\n');
      socket.once('data', reset);
    },
    DIALOGUE,
    explicit('reset', /^step 2: /),
  ],
  ['falls silent in the dialogue', speaks('220 hi\r\n', '250 hi\r\n'), DIALOGUE, silent()],
  ['falls silent inside a line', speaks('220 hi\r\n', '25'), DIALOGUE, silent()],
  [
    'floods in the dialogue',
    (socket) => {
      socket.write('220 hi\r\n');
      socket.once('data', () => endlessly(socket, Buffer.alloc(65_536, 'a')));
    },
    DIALOGUE,
    explicit('too_large', /^step 2: /),
  ],
];
