/**
 * Owns certificates for local TLS servers, made when a test begins: no key lies in the repository, and none expires unless
 * it is meant to. Self-signed X.509 version 3 with ECDSA over P-256 (RFC 5280, RFC 5758). Deliberately no more of either.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  /** PEM, both. */
  readonly key: string;
  readonly cert: string;
}

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const size = body.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const hex = (text: string): Buffer => Buffer.from(text, 'hex');
/** 1.2.840.10045.4.3.2 */
const ecdsaWithSha256 = sequence(der(0x06, hex('2a8648ce3d040302')));
/** 2.5.4.3 */
const commonName = der(0x06, hex('550403'));
/** 2.5.29.17 */
const subjectAltName = der(0x06, hex('551d11'));
/** 2.5.29.19, critical, an authority: so that it may stand for itself. */
const authority = sequence(
  der(0x06, hex('551d13')),
  der(0x01, hex('ff')),
  der(0x04, sequence(der(0x01, hex('ff')))),
);

const time = (ms: number): Buffer =>
  der(0x18, Buffer.from(new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/gu, '')));

/** For an IPv4 address or a name, from now for a day, or over since an hour. */
export function certificate(host: string, expired = false): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from(`ratchet test ${host}`)))));
  const parts = host.split('.').map(Number);
  const alternative = parts.every((part) => part >= 0)
    ? der(0x87, Buffer.from(parts))
    : der(0x82, Buffer.from(host));
  const hour = 3_600_000;
  const now = Date.now();
  const serial = Buffer.concat([Buffer.from([1]), randomBytes(8)]);
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ecdsaWithSha256,
    name,
    sequence(time(now - 48 * hour), time(now + (expired ? -1 : 24) * hour)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(authority, sequence(subjectAltName, der(0x04, sequence(alternative))))),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', body, privateKey));
  const base64 = sequence(body, ecdsaWithSha256, signature).toString('base64');
  const lines = base64.match(/.{1,64}/gu) ?? [];
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
  };
}
