import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HOUR, MINUTE } from '../../src/clock.ts';
import { type Book, decide, NOTHING_TOLD, notTold, TOLD_EVERY } from '../../src/notify/book.ts';
import { keptOf } from '../../src/notify/book-file.ts';
import { ABOUT, TOPICS, type Topic } from '../../src/notify/topics.ts';
import type { Finding, Findings } from '../../src/notify/troubles.ts';

const START = Date.UTC(2026, 10, 26);
const TROUBLE = { sentence: 'Something is wrong.' };

function findings(topic: Topic, finding: Finding): Findings {
  const all = Object.fromEntries(TOPICS.map(it => [it, 'absent'])) as Record<Topic, Finding>;
  return { ...all, [topic]: finding };
}

/** What is told of a topic that is found so, minute by minute: `3 trouble`, `70 over`. */
function told(topic: Topic, minutes: string, restarts: readonly number[] = []): readonly string[] {
  const lines: string[] = [];
  let book: Book = NOTHING_TOLD;
  [...minutes].forEach((it, minute) => {
    const finding = it === '!' ? TROUBLE : it === '?' ? ('unknown' as const) : ('absent' as const);
    if (restarts.includes(minute)) book = keptOf(book);
    const decision = decide(book, findings(topic, finding), {
      monotonic: minute * MINUTE,
      wall: START + minute * MINUTE,
    });
    book = decision.book;
    for (const { event } of decision.tell) lines.push(`${minute} ${event}`);
  });
  return lines;
}

const CASES: readonly (readonly [
  what: string,
  topic: Topic,
  minutes: string,
  told: readonly string[],
  restarts?: readonly number[],
])[] = [
  ['a trouble is told once, and its end once', 'root', `..${'!'.repeat(90)}...`, ['2 trouble', '92 over']],
  [
    'an end within the hour is told when the hour is over',
    'root',
    `!!${'.'.repeat(70)}`,
    ['0 trouble', '60 over'],
  ],
  [
    'a trouble that comes and goes is told once an hour',
    'root',
    '!.'.repeat(65),
    ['0 trouble', '61 over', '122 trouble'],
  ],
  [
    'a load that is unknown for less than 10 minutes is not told',
    'load',
    `${'!'.repeat(10)}${'.'.repeat(9)}`,
    [],
  ],
  ['a load that is unknown for 10 minutes is told', 'load', '!'.repeat(12), ['10 trouble']],
  ['too few slaves for 15 minutes are told', 'slaves', '!'.repeat(20), ['15 trouble']],
  ['what is not known is neither a trouble nor its end', 'root', `!${'?'.repeat(80)}`, ['0 trouble']],
  ['a restart does not tell a trouble again', 'root', '!'.repeat(90), ['0 trouble'], [5, 70]],
  ['a restart tells the end of a trouble', 'root', `${'!'.repeat(70)}??..`, ['0 trouble', '72 over'], [70]],
  [
    'a restart tells an end that waits for its hour',
    'root',
    `!${'.'.repeat(70)}`,
    ['0 trouble', '60 over'],
    [30],
  ],
];

describe('what is told', () => {
  for (const [what, topic, minutes, expected, restarts] of CASES)
    it(what, () => assert.deepEqual(told(topic, minutes, restarts), expected));

  it('is told after an hour when it reached nobody, if it is still so', () => {
    const now = { monotonic: 0, wall: START };
    const first = decide(NOTHING_TOLD, findings('root', TROUBLE), now);
    const [message] = first.tell;
    assert.ok(message);
    const book = notTold(first.book, message);
    const at = (ms: number, finding: Finding) =>
      decide(book, findings('root', finding), { monotonic: ms, wall: START + ms }).tell.map(it => it.event);
    assert.deepEqual(at(59 * MINUTE, TROUBLE), []);
    assert.deepEqual(at(60 * MINUTE, TROUBLE), ['trouble']);
    assert.deepEqual(at(60 * MINUTE, 'absent'), []);
  });

  it('is not silenced for longer than an hour by a clock that was set back', () => {
    let { book } = decide(NOTHING_TOLD, findings('root', TROUBLE), { monotonic: 0, wall: START });
    const back = START - 300 * HOUR;
    const told: number[] = [];
    for (let minute = 1; minute < 70; minute += 1) {
      const decision = decide(book, findings('root', 'absent'), {
        monotonic: minute * MINUTE,
        wall: back + minute * MINUTE,
      });
      book = decision.book;
      if (decision.tell.length > 0) told.push(minute);
    }
    assert.deepEqual(told, [61]);
  });

  it('alternates, at most once a topic and hour, and misses nothing that lasts, whatever happens', () => {
    const step = fc.record({
      ms: fc.integer({ min: 0, max: 20 * MINUTE }),
      finding: fc.constantFrom<Finding>(TROUBLE, TROUBLE, 'absent', 'absent', 'unknown'),
      repeated: fc.integer({ min: 1, max: 12 }),
      restart: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.constantFrom(...TOPICS), fc.array(step, { maxLength: 40 }), (topic, steps) => {
        let book: Book = NOTHING_TOLD;
        let now = 0;
        let lastAt = Number.NEGATIVE_INFINITY;
        let isOpen = false;
        let since: { readonly finding: Finding; readonly at: number } | undefined;
        for (const { ms, finding, repeated, restart } of steps) {
          if (restart) [book, since] = [keptOf(book), undefined];
          for (let time = 0; time < repeated; time += 1) {
            now += ms;
            const decision = decide(book, findings(topic, finding), { monotonic: now, wall: START + now });
            book = decision.book;
            if (since?.finding !== finding) since = { finding, at: now };
            assert.ok(decision.tell.length <= 1);
            for (const message of decision.tell) {
              assert.equal(message.topic, topic);
              assert.equal(message.event === 'over', isOpen, 'trouble and end alternate');
              assert.ok(now - lastAt >= TOLD_EVERY, 'at most one an hour');
              assert.equal(finding, message.event === 'trouble' ? TROUBLE : 'absent');
              [isOpen, lastAt] = [!isOpen, now];
            }
            if (now - lastAt < TOLD_EVERY) continue;
            if (finding === TROUBLE && now - since.at >= ABOUT[topic].after)
              assert.ok(isOpen, 'what lasts long enough is told');
            if (finding === 'absent') assert.ok(!isOpen, 'an end is told');
          }
        }
      }),
    );
  });
});
