/**
 * Owns addresses that a person, or a careless comparison, takes for https://api.openai.com. Each names another origin, or
 * none. Deliberately written with escapes where the letters look the same.
 */

/** Other spellings of the very same origin. */
export const theirOwn: readonly string[] = [
  'https://api.openai.com/v1',
  'https://api.openai.com',
  'https://api.openai.com:443/v1',
  'HTTPS://API.OPENAI.COM/v1',
  ' https://api.openai.com/v1 ',
  'https://api.openai.com/v1/../v1',
  'https://api.openai.com\\v1',
  'https:\\\\api.openai.com/v1',
  'https://api%2Eopenai.com/v1',
  'https://api.openai.com/@evil.example/v1',
  'https://\uff41pi.openai.com/v1',
  'https://api\u3002openai\u3002com/v1',
];

export const lookAlikes: readonly string[] = [
  // Another host with the name in it.
  'https://api.openai.com.evil.example/v1',
  'https://api.openai.com-evil.example/v1',
  'https://api-openai.com/v1',
  'https://apiopenai.com/v1',
  'https://openai.com/v1',
  'https://api.openai.co/v1',
  'https://api.openai.con/v1',
  'https://api.openai.com.co/v1',
  'https://api.openai.cm/v1',
  'https://api.open-ai.com/v1',
  'https://api.openai.org/v1',
  'https://api.openai.community/v1',
  'https://evil.example/api.openai.com/v1',
  'https://evil.example/?https://api.openai.com/v1',
  'https://evil.example/#https://api.openai.com/v1',
  // Sub-domains, both ways.
  'https://evil.api.openai.com/v1',
  'https://www.openai.com/v1',
  'https://eu.api.openai.com/v1',
  'https://api.api.openai.com/v1',
  // A name before the host.
  'https://api.openai.com@evil.example/v1',
  'https://api.openai.com:443@evil.example/v1',
  'https://api.openai.com%2F@evil.example/v1',
  'https://api.openai.com%00@evil.example/v1',
  'https://user:word@api.openai.com/v1',
  'https://user@api.openai.com/v1',
  // Another way there.
  'http://api.openai.com/v1',
  'http://api.openai.com:443/v1',
  'ws://api.openai.com/v1',
  'wss://api.openai.com/v1',
  'ftp://api.openai.com/v1',
  'file://api.openai.com/v1',
  'javascript://api.openai.com/v1',
  'data:text/plain,https://api.openai.com/v1',
  'blob:https://api.openai.com/v1',
  'https-evil://api.openai.com/v1',
  // Another port.
  'https://api.openai.com:8443/v1',
  'https://api.openai.com:80/v1',
  'https://api.openai.com:4430/v1',
  'https://api.openai.com:44/v1',
  // A full stop at the end is a name of its own to a browser.
  'https://api.openai.com./v1',
  'https://api.openai.com..evil.example/v1',
  // Letters of other alphabets: Cyrillic a, p, i, o, e; Greek omicron; dotless i; Latin alpha.
  'https://\u0430pi.openai.com/v1',
  'https://a\u0440i.openai.com/v1',
  'https://ap\u0456.openai.com/v1',
  'https://api.\u043epenai.com/v1',
  'https://api.op\u0435nai.com/v1',
  'https://api.\u03bfpenai.com/v1',
  'https://api.opena\u0131.com/v1',
  'https://\u0251pi.openai.com/v1',
  'https://api.openai.c\u043em/v1',
  'https://xn--pi-7lc.openai.com/v1',
  'https://xn--api-openai.com/v1',
  // Signs that look like the ones that end a host.
  'https://api.openai.com\u2044.evil.example/v1',
  'https://api.openai.com\u29f8.evil.example/v1',
  'https://api.openai.com\\.evil.example@evil.example/v1'.replace('\\', '%5C'),
  'https://api.openai.com\\@evil.example:8443/v1'.replace('\\@', '.x@'),
  // Numbers, and what is no address.
  'https://[::ffff:104.18.7.192]/v1',
  'https://104.18.7.192/v1',
  'https://1746012096/v1',
  'https://0x6812_07c0/v1',
  '//api.openai.com/v1',
  'api.openai.com/v1',
  'api.openai.com',
  '',
];
