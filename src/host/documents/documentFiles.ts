/** Owns the read-only documents as the editor's file system sees them. */
import * as vscode from 'vscode';
import { documentScheme } from '../ids.ts';
import type { ReadModels } from '../readModels.ts';
import type { Host, Shell } from '../shell.ts';
import { pathOf, readPath, type DocumentAddress } from './addresses.ts';
import { documentText } from './documentText.ts';

export function uriOf(address: DocumentAddress, title: string): vscode.Uri {
  return vscode.Uri.from({ scheme: documentScheme, path: pathOf(address, title) });
}

export interface DocumentFiles {
  readonly files: Host['files'];
  /** Open documents whose address passes are read anew. */
  refresh(matches: (address: DocumentAddress) => boolean): void;
}

export function createDocumentFiles(models: ReadModels, changed: Shell['filesChanged']): DocumentFiles {
  // The editor compares modification times: every refresh has to look newer than what it last read.
  let touched = 0;

  async function read(uri: vscode.Uri): Promise<{ bytes: Uint8Array; changedAt: number }> {
    const address = readPath(uri.path);
    if (address === null) throw vscode.FileSystemError.FileNotFound(uri);
    try {
      const { text, changedAt } = await documentText(address, models);
      return { bytes: new TextEncoder().encode(text), changedAt };
    } catch (error) {
      throw vscode.FileSystemError.Unavailable(error instanceof Error ? error.message : String(error));
    }
  }

  return {
    files: {
      async stat(uri) {
        const { bytes, changedAt } = await read(uri);
        return {
          type: vscode.FileType.File,
          permissions: vscode.FilePermission.Readonly,
          ctime: 0,
          mtime: Math.max(changedAt, touched),
          size: bytes.length,
        };
      },
      readFile: async (uri) => (await read(uri)).bytes,
    },
    refresh(matches) {
      const events = vscode.workspace.textDocuments
        .filter((document) => document.uri.scheme === documentScheme)
        .filter((document) => {
          const address = readPath(document.uri.path);
          return address !== null && matches(address);
        })
        .map((document) => ({ type: vscode.FileChangeType.Changed, uri: document.uri }));
      if (events.length === 0) return;
      touched = Date.now();
      changed.fire(events);
    },
  };
}
