/** Where something is among places that are gone through one after the other: the place, and the id in it. */
export function positionIn(place: string, id: string): string {
  return `${place} ${id}`;
}

/**
 * What is left of the places after a position: each with the id to begin after.
 * @param after '' for all of them
 */
export function placesAfter<Place extends string>(
  places: readonly Place[],
  after: string,
): readonly (readonly [place: Place, afterId: string])[] {
  const { place, id } = splitPosition(after);
  const from = Math.max(0, places.indexOf(place as Place));
  return places.slice(from).map((one) => [one, one === place ? id : ''] as const);
}

/** No place has a space in its name. */
export function splitPosition(position: string): { readonly place: string; readonly id: string } {
  const space = position.indexOf(' ');
  return { place: position.slice(0, Math.max(0, space)), id: position.slice(space + 1) };
}
