/** Whether this can be a subject's or a team's id. */
export function isIdentifier(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 255 && value.isWellFormed();
}
