/** Owns the shape of a group of commands: one handler for every id the group names, none forgotten. */
import type { CommandId } from '../ids.ts';

/** `args` are what the editor passed: a row and a selection from a tree, an address from an editor's title, or nothing. */
export type CommandHandler = (args: readonly unknown[]) => Promise<void>;

export type CommandHandlers<Ids extends string> = Readonly<Record<Extract<CommandId, Ids>, CommandHandler>>;
