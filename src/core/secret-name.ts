/** Fields, parameters and variables whose values are credentials as a rule: `x-api-key`, `PGPASSWORD`, `sig`. */
const SECRET =
  /(?:token|secret|passwo?r?d|passphrase|credentials?|signature|(?:api|access|private|secret)[-_]?key|session[-_]?id|authorization|cookie)$|^(?:auth|key|pwd|sig)$/i;

export function isSecretName(name: string): boolean {
  return SECRET.test(name);
}

/** What stands behind `?`, `&` or `#` in a URL: a name and its value. */
const PARAMETER = /([?&#;]([\w.~-]+)=)([^&#;\s"'<>]+)/g;

/** A text with the values of such parameters left out. */
export function withoutParameters(text: string): string {
  return text.replaceAll(PARAMETER, (whole, head: string, name: string) =>
    isSecretName(name) ? `${head}***` : whole,
  );
}

/** Those values. */
export function secretParameters(text: string): string[] {
  return [...text.matchAll(PARAMETER)].flatMap(([, , name, value]) => (isSecretName(name!) ? [value!] : []));
}

/** What a field of a head says, as a person may see it. */
export function shownField(name: string, value: string): string {
  return isSecretName(name) ? '***' : withoutParameters(value);
}
