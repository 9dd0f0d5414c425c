// Owns which console errors every browser-hosted editor writes, with or without an extension, when it has no network.

const noise: readonly RegExp[] = [
  // A closed-source part that the open build does not contain.
  /vsda/,
  // The gallery of extensions is somewhere on the network, and its failure is told a second time without its name.
  /extensionquery|open-vsx|extensions-gallery/,
  /An unknown error occurred\. Please consult the log for more details\./,
  // Told when a window is reloaded or closed while it is at work.
  /Canceled: Canceled/,
  /Long running operations during shutdown are unsupported in the web/,
  /Timed out waiting for authentication provider/,
];

export function isNoise(message: string): boolean {
  return noise.some((each) => each.test(message));
}
