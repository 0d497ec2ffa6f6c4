/** The other forms in which a target may send a text back: in a JSON string, in a URL, in a form, in base64. */
export function encodedForms(text: string): string[] {
  const standard = base64(text).replace(/=+$/, '');
  const forms = new Set([
    inJson(text),
    // A message quotes a body, which may be JSON itself.
    inJson(inJson(text)),
    // A trace quotes it, and escapes nothing but quotes.
    text.replaceAll('"', String.raw`\"`),
    inJson(text).replaceAll('"', String.raw`\"`),
    ...percentEncoded(text),
    standard,
    standard.replaceAll('+', '-').replaceAll('/', '_'),
  ]);
  forms.delete(text);
  return [...forms];
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function percentEncoded(text: string): string[] {
  try {
    const component = encodeURIComponent(text);
    return [component, component.replaceAll('%20', '+'), encodeURI(text)];
  } catch {
    // Half of a surrogate pair is no text that could stand in a URL.
    return [];
  }
}

/** Of the text's UTF-8. */
function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''));
}
