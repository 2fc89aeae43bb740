/** The beginning of a text, at most this long in UTF-16 code units, without half of a character at its end. */
export function cutText(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  const isInside =
    /[\ud800-\udbff]/.test(text.charAt(lengthMax - 1)) && /[\udc00-\udfff]/.test(text.charAt(lengthMax));
  return text.slice(0, isInside ? lengthMax - 1 : lengthMax);
}
