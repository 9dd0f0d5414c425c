// Owns the editor settings a test starts with: quiet, the same on every machine, and one theme. It does not decide
// what the extension's own settings are; a test passes those in.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The themes the extension must look right in: the name in the settings and the one in the list of themes. */
export const themes = {
  dark: { id: 'Default Dark Modern', label: 'Dark Modern' },
  light: { id: 'Default Light Modern', label: 'Light Modern' },
  highContrast: { id: 'Default High Contrast', label: 'Dark High Contrast' },
  highContrastLight: { id: 'Default High Contrast Light', label: 'Light High Contrast' },
} as const;

export type Theme = keyof typeof themes;

export type Settings = Readonly<Record<string, unknown>>;

/** Settings without welcome pages, tips, update checks or the chat side bar; `extra` wins over them. */
export function testSettings(theme: Theme, extra: Settings = {}): Settings {
  return {
    'workbench.colorTheme': themes[theme].id,
    'window.autoDetectColorScheme': false,
    'window.autoDetectHighContrast': false,
    'workbench.startupEditor': 'none',
    // Parents that stay in sight would cover the rows beneath them from the mouse.
    'workbench.tree.enableStickyScroll': false,
    'workbench.tips.enabled': false,
    'workbench.secondarySideBar.defaultVisibility': 'hidden',
    'chat.disableAIFeatures': true,
    'workbench.localHistory.enabled': false,
    'telemetry.telemetryLevel': 'off',
    'extensions.autoCheckUpdates': false,
    'extensions.autoUpdate': false,
    'extensions.ignoreRecommendations': true,
    'remote.autoForwardPorts': false,
    ...extra,
  };
}

/** The user settings of a profile as they are on the disk, the editor's own changes included. */
export function readSettings(profile: string): Settings {
  return JSON.parse(readFileSync(settingsFile(profile), 'utf8')) as Settings;
}

/** Writes the user settings of a profile; a window that is open takes them over when it is reloaded. */
export function writeSettings(profile: string, settings: Settings): void {
  const file = settingsFile(profile);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(settings, null, 2));
}

function settingsFile(profile: string): string {
  return path.join(profile, 'User', 'settings.json');
}
