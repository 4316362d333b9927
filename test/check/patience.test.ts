import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { createPatience } from '../../src/check/patience.ts';

describe('the patience of check', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  it('ends when nothing has answered for the time limit', () => {
    const { signal } = createPatience(9000);
    mock.timers.tick(8999);
    assert.equal(signal.aborted, false);
    mock.timers.tick(1);
    assert.equal(signal.aborted, true);
  });

  it('starts over with each answer, so that sixty slow ones are not too much', () => {
    const { signal, answered } = createPatience(9000);
    for (let call = 0; call < 60; call++) {
      mock.timers.tick(8000);
      answered();
    }
    assert.equal(signal.aborted, false);
    mock.timers.tick(9000);
    assert.equal(signal.aborted, true);
  });

  it('holds nothing up once the check is over', () => {
    const { signal, answered, end } = createPatience(9000);
    end();
    answered();
    mock.timers.tick(60_000);
    assert.equal(signal.aborted, false);
  });
});
