// Owns matching a whole text; a locator given a string matches any part of it.

/** Matches exactly this text, blanks around it aside. */
export function exactly(text: string): RegExp {
  return new RegExp(`^\\s*${text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\s*$`);
}
