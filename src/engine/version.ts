/** Owns the product's version, as the manifest says it. The build keeps only that one field of the manifest. */
import manifest from '../../package.json' with { type: 'json' };

export const version: string = manifest.version;
