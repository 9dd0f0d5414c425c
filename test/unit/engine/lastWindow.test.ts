import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { watchLastWindow } from '../../../src/engine/lastWindow.ts';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('the last window', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const setUp = () => {
    const pauseRuns = vi.fn();
    return { pauseRuns, window: watchLastWindow({ pauseRuns, log, graceMs: 1_000 }) };
  };

  test('running runs are paused once nobody is left and nobody comes back', () => {
    const { pauseRuns, window } = setUp();
    window.joined();
    window.joined();
    window.wish('pause');
    window.left();
    vi.advanceTimersByTime(5_000);
    expect(pauseRuns).not.toHaveBeenCalled();
    window.left();
    vi.advanceTimersByTime(999);
    expect(pauseRuns).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(pauseRuns).toHaveBeenCalledOnce();
  });

  test('a reload is no leaving', () => {
    const { pauseRuns, window } = setUp();
    window.joined();
    window.wish('pause');
    window.left();
    vi.advanceTimersByTime(500);
    window.joined();
    vi.advanceTimersByTime(5_000);
    expect(pauseRuns).not.toHaveBeenCalled();
  });

  test('without the wish they go on, and the newest wish counts', () => {
    const { pauseRuns, window } = setUp();
    window.joined();
    window.left();
    vi.advanceTimersByTime(5_000);
    window.joined();
    window.wish('pause');
    window.wish('goOn');
    window.left();
    vi.advanceTimersByTime(5_000);
    expect(pauseRuns).not.toHaveBeenCalled();
  });
});
