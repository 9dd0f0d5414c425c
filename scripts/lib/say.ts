// Owns how the set-up speaks to a person: standard error always, so that standard output belongs to results alone.

/** A set-up problem told in one sentence that also says what to do; shown without a stack. */
export class SetupError extends Error {}

export function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}

/** Runs one command to its exit code: a SetupError becomes its sentence and 1, anything else keeps its stack. */
export async function spoken(command: () => Promise<number>): Promise<number> {
  try {
    return await command();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    return 1;
  }
}
